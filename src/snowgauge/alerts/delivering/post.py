"""Hands a letter to a channel, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any, Literal, Protocol

import msgspec
import orjson

from snowgauge.alerts.channels import Channel
from snowgauge.alerts.delivering import formats
from snowgauge.alerts.delivering.letters import email
from snowgauge.alerts.delivering.sign import signature
from snowgauge.alerts.delivering.words import Letter
from snowgauge.alerts.sealing import Seal
from snowgauge.alerts.settings import AlertsSettings
from snowgauge.mail.send import MailRefused
from snowgauge.outgoing import Answer

_ANSWER = 200
_LONGEST_WAIT_MS = 3_600_000
_TIMEOUT = 10.0
_BODIES: dict[str, Callable[[Letter], dict[str, Any]]] = {
    "webhook": formats.webhook, "slack": formats.slack, "teams": formats.teams,
}  # fmt: skip


class Outcome(msgspec.Struct, frozen=True):
    """``again``: trying later may help, after at least ``wait_ms``. ``off``: the other side wants no more messages."""

    what: Literal["sent", "again", "failed", "off"]
    answer: str
    wait_ms: int = 0


class Http(Protocol):
    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> Answer: ...


class Post:
    """``http`` refuses private addresses unless the settings allow them; ``mail`` hands an e-mail over."""

    def __init__(self, settings: AlertsSettings, http: Http, mail: Callable[[EmailMessage], str], sender: str) -> None:
        self._settings = settings
        self._http = http
        self._mail = mail
        self._sender = sender

    def send(self, channel: Channel, letter: Letter) -> Outcome:
        """Never raises for what the other side does."""
        if channel.kind == "email":
            return self._email(channel, letter)
        return self._request(channel, letter)

    def _email(self, channel: Channel, letter: Letter) -> Outcome:
        try:
            return Outcome("sent", self._mail(email(letter, self._sender, channel.to))[:_ANSWER])
        except MailRefused as error:
            return Outcome("failed", str(error)[:_ANSWER])
        except OSError as error:
            return Outcome("again", str(error)[:_ANSWER])

    def _request(self, channel: Channel, letter: Letter) -> Outcome:
        url = channel.url.get_secret_value()
        if not url.startswith("https://") and not self._settings.allow_http:
            return Outcome("failed", "its address begins with http://, which alerts.allow_http does not allow")
        body = orjson.dumps(_BODIES[channel.kind](letter))
        headers = {"content-type": "application/json; charset=utf-8"}
        if channel.kind == "webhook":
            headers |= {"x-snowgauge-event": "alert", "x-snowgauge-delivery": letter.id}
            if secret := channel.secret.get_secret_value():
                headers["x-snowgauge-signature"] = signature(secret, body, letter.sent_at // 1000)
        try:
            answer = self._http.ask("POST", url, headers=headers, body=body, timeout=_TIMEOUT, max_bytes=65_536)
        except OSError as error:
            return Outcome("again", _without(url, str(error))[:_ANSWER])
        return _judged(answer)


class Means(msgspec.Struct, frozen=True):
    """What a deployment reads and sends messages with. ``console``: where the console is, or empty."""

    seal: Seal
    post: Post
    console: str = ""


def _judged(answer: Answer) -> Outcome:
    said = f"{answer.status} {answer.body.decode('utf-8', 'replace')}".strip()[:_ANSWER]
    if 200 <= answer.status < 300:
        return Outcome("sent", said)
    if answer.status == 410:
        return Outcome("off", said)
    if answer.status == 429 or answer.status >= 500:
        return Outcome("again", said, _retry_after(answer))
    return Outcome("failed", said)


def _retry_after(answer: Answer) -> int:
    given = answer.headers.get("retry-after", "")
    return min(int(given) * 1000, _LONGEST_WAIT_MS) if given.isascii() and given.isdigit() and len(given) < 9 else 0


def _without(url: str, text: str) -> str:
    """The address of a channel is its password."""
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    return text.replace(path, "…") if len(path) > 1 else text
