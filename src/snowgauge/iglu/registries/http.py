"""An Iglu registry behind HTTP: an Iglu Server, or any web server with files in Iglu's layout (iglu-scala-client 4)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from snowgauge.errors import SelfDescribingError, SettingsError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.registries.base import NOT_FOUND, Refusal, leads_out
from snowgauge.iglu.registries.pace import Pace
from snowgauge.telemetry.metrics import gauge

if TYPE_CHECKING:
    import httpx

_RETRIED = frozenset({408, 500, 502, 503, 504})
_LONGEST_REST = 60.0  # seconds
_MAX_TEXT = 512  # of a server's error page that goes into bad rows
_KNOWN_FOR = 10.0  # seconds for which it is known whether it answers
_ANY_SCHEMA = "com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"


class HttpRegistry:
    """Retries temporary failures; redirects are followed, except with an API key, which must not travel."""

    local = False
    volatile = False

    def __init__(
        self,
        uri: str,
        *,
        name: str | None = None,
        priority: int = 0,
        vendor_prefixes: tuple[str, ...] = (),
        apikey: str | None = None,
        timeout: timedelta = timedelta(seconds=5),
        max_retry: int = 2,
        max_wait: timedelta = timedelta(seconds=1),
        max_size: int = 1_000_000,
        pace: Pace | None = None,
        proxy: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            parts = urlsplit(uri)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise SettingsError(f"registry address {uri!r} is not an http(s) address such as https://iglu.acme.com/api")
        self.uri = uri.rstrip("/")
        self.name = name or self.uri
        self.priority = priority
        self.vendor_prefixes = vendor_prefixes
        self.iglu_central = "iglucentral" in (parts.hostname or "").replace("-", ".").split(".")
        self._headers = {"apikey": apikey} if apikey else {}
        self._timeout = timeout.total_seconds()
        self._max_retry = max_retry
        self._max_wait = max_wait.total_seconds()
        self._max_size = max_size
        self._pace = pace
        self._proxy = proxy
        self._sleep = sleep
        self._clock = clock
        self._opened: httpx.Client | None = None
        self._opening = Lock()
        self._away: Refusal | None = None
        self._ask_again = 0.0
        self._finding_out = Lock()
        self._up = True
        self._known_at = float("-inf")
        self._probing = Lock()

    def _client(self) -> httpx.Client:
        """The connection pool, opened at the first use: workers fork before it and bare starts need no HTTP."""
        if self._opened is None:
            import httpx

            with self._opening:
                if self._opened is None:
                    self._opened = httpx.Client(
                        headers=self._headers,
                        timeout=self._timeout,
                        follow_redirects=not self._headers,
                        proxy=self._proxy,
                        trust_env=False,
                    )
        return self._opened

    def close(self) -> None:
        """Close connections; the next lookup opens them again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def lookup(self, key: SchemaKey) -> dict[str, Any] | Refusal:
        if leads_out(key.vendor):
            return NOT_FOUND
        answer = self._get(f"{self.uri}/schemas/{key.path}")
        if isinstance(answer, dict | Refusal):
            return answer
        return Refusal("ClientFailure", "Could not decode server response. Expected a JSON object", away=True)

    def versions(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        if leads_out(vendor):
            return []
        answer = self._get(f"{self.uri}/schemas/{vendor}/{name}/jsonschema/{model}")
        found = []
        for uri in answer if isinstance(answer, list) else ():
            try:
                found.append(SchemaKey.parse(str(uri)))
            except SelfDescribingError:
                continue
        return sorted(found)

    def keys(self) -> list[SchemaKey]:
        return []

    def answers(self) -> bool:
        """Whatever it answers counts, a 404 too. It is asked at most once in ten seconds, lookups included."""
        with self._probing:
            if self._clock() - self._known_at >= _KNOWN_FOR:
                self._tell(self._reached())
            return self._up

    def _reached(self) -> bool:
        import httpx

        try:
            with self._client().stream("GET", f"{self.uri}/schemas/{_ANY_SCHEMA}"):
                return True
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return False

    def _get(self, url: str) -> Any:
        """Parsed JSON, or a refusal.

        A registry that does not answer is left alone for ten times as long as it took to find out: who makes up schema
        names must not be able to spend all of the pipeline's time on waiting for it. Then one request, of however many
        wait, finds out whether it answers again.
        """
        with self._finding_out:
            away, started = self._away, self._clock()
            if away is not None:
                if started < self._ask_again:
                    return away
                self._ask_again = started + self._timeout
        pause = 0.1
        for repetition in range(1 if away is not None else self._max_retry + 1):
            if repetition:
                self._sleep(min(pause, self._max_wait))
                pause *= 2
            if self._pace is not None and (turn := self._pace.turn()):
                self._sleep(turn)
            answer, again = self._try(url)
            if not again:
                self._know(None)
                return answer
            if answer.error != "RepoFailure":
                self._tell(False)  # before the repetitions, which may take long
        if answer.error == "RepoFailure":  # it answers; this schema alone may be what it has trouble with
            self._know(None)
            return answer
        now = self._clock()
        self._ask_again = now + min(10 * (now - started), _LONGEST_REST)
        self._know(answer)
        return answer

    def _know(self, away: Refusal | None) -> None:
        self._away = away
        self._tell(away is None)

    def _tell(self, up: bool) -> None:
        self._up, self._known_at = up, self._clock()
        gauge("iglu_registry_up", up, registry=self.name)

    def _try(self, url: str) -> tuple[Any, bool]:
        """One request: the answer, and whether to repeat it."""
        import httpx

        deadline = time.monotonic() + self._timeout
        try:
            with self._client().stream("GET", url) as response:
                status = response.status_code
                if status == 404:
                    return NOT_FOUND, False
                if 400 <= status < 500:
                    refusal = Refusal(
                        "ClientFailure", f"Unexpected response code: {status}", away=status in (408, 425, 429)
                    )
                    return refusal, status in _RETRIED
                body = bytearray()
                for piece in response.iter_bytes(65536):
                    body += piece
                    if len(body) > self._max_size:
                        return Refusal("ClientFailure", f"Answer is longer than {self._max_size} bytes"), False
                    if time.monotonic() > deadline:  # a server that drips bytes never meets the read timeout
                        raise httpx.ReadTimeout("the whole answer took too long")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            return Refusal("ClientFailure", text, away=True), True
        if 200 <= status < 300:
            try:
                return orjson.loads(bytes(body)), False
            except orjson.JSONDecodeError as error:
                return Refusal("ClientFailure", f"Could not decode server response. {error}", away=True), False
        text = bytes(body[:_MAX_TEXT]).decode("utf-8", "replace")
        if status >= 500:
            return Refusal("RepoFailure", f"Unexpected server response: {text}", away=True), status in _RETRIED
        return Refusal("ClientFailure", f"Unexpected response: {text}"), False
