"""The bodies of messages: our own JSON, Slack's attachments (Mattermost, Rocket.Chat and Discord read them too), and
Teams' adaptive card."""

from __future__ import annotations

from typing import Any

from snowgauge.alerts.delivering.words import COLORS, Letter, fields, iso, link, title
from snowgauge.alerts.message import Message

_MOST_LISTED = 20
_LONGEST = 3_000


def webhook(letter: Letter) -> dict[str, Any]:
    """Version 1. ``others``: further messages of the same letter, each in the same form."""
    body: dict[str, Any] = {"version": 1, "id": letter.id, **_event(letter, letter.first)}
    body["others"] = [{"id": one.id, **_event(letter, one)} for one in letter.messages[1:]]
    return body


def _event(letter: Letter, message: Message) -> dict[str, Any]:
    url = link(letter, message)
    return {
        "status": message.said,
        "alert": {
            "id": message.rule_id, "name": message.name, "kind": message.kind, "severity": message.severity, "url": url,
        },
        "key": message.key,
        "app": message.app,
        "started_at": iso(message.started_at),
        "resolved_at": None if message.resolved_at is None else iso(message.resolved_at),
        "value": message.value,
        "threshold": message.threshold,
        "expected": None if message.expected is None else list(message.expected),
        "period": {"from": iso(message.since), "to": iso(message.at), "zone": "UTC"},
        "summary": message.summary,
        "details": [{"name": one.name, "value": one.value} for one in message.details],
        "links": {"console": url, "mute": f"{url}&mute=1" if url else ""},
    }  # fmt: skip


def slack(letter: Letter) -> dict[str, Any]:
    attachments = []
    for message in letter.messages[:_MOST_LISTED]:
        one: dict[str, Any] = {
            "color": COLORS[message.said],
            "fallback": _escaped(f"[{message.said}] {message.name}: {message.summary}"),
            "title": _escaped(f"[{message.said}] {message.name}"),
            "text": _escaped(message.summary),
            "fields": [
                {"title": _escaped(name), "value": _escaped(value), "short": len(value) < 40}
                for name, value in fields(message)
            ],
            "ts": message.at // 1000,
        }
        if url := link(letter, message):
            one["title_link"] = url
        attachments.append(one)
    return {"text": _escaped(title(letter) + _more(letter)), "attachments": attachments}


def _escaped(text: str) -> str:
    """Slack's three characters. Nothing that was sent can name people or channels then."""
    return text[:_LONGEST].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(letter: Letter) -> dict[str, Any]:
    body: list[dict[str, Any]] = [_block(title(letter) + _more(letter), weight="Bolder", size="Medium")]
    actions: list[dict[str, str]] = []
    for message in letter.messages[:_MOST_LISTED]:
        if len(letter.messages) > 1:
            body.append(_block(f"[{message.said}] {message.name}: {message.summary}", separator=True))
        facts = [{"title": _plain(name), "value": _plain(value)} for name, value in fields(message)]
        body.append({"type": "FactSet", "facts": facts})
        if (url := link(letter, message)) and len(actions) < 3:
            actions.append({"type": "Action.OpenUrl", "title": f"Open {message.name}"[:80], "url": url})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "body": body, "actions": actions,
    }  # fmt: skip
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _block(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": _plain(text), "wrap": True, **more}


def _plain(text: str) -> str:
    """A card's texts are Markdown: what was sent is shown as it is, and makes no links."""
    return "".join(f"\\{char}" if char in "\\`*_[]()#<>" else char for char in text[:_LONGEST])


def _more(letter: Letter) -> str:
    left = len(letter.messages) - _MOST_LISTED
    return f" (and {left} more)" if left > 0 else ""
