"""E-mails: text and HTML, one thread for an incident, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from snowgauge.alerts.delivering.words import COLORS, Letter, fields, link, title

_DOMAIN = "snowgauge.invalid"
_LONGEST_SUBJECT = 200


def email(letter: Letter, sender: str, to: Sequence[str]) -> EmailMessage:
    """Shown in one thread: the id is made of the letter's, and what it answers of the incident's."""
    message = EmailMessage()
    message["Subject"] = " ".join(title(letter).split())[:_LONGEST_SUBJECT]
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(datetime.fromtimestamp(letter.sent_at / 1000, UTC))
    message["Message-ID"] = f"<{letter.id}@{_DOMAIN}>"
    threads = list(dict.fromkeys(f"<{one.thread}@{_DOMAIN}>" for one in letter.messages))[:20]
    message["In-Reply-To"] = threads[0]
    message["References"] = " ".join(threads)
    message["Auto-Submitted"] = "auto-generated"
    if letter.console:
        message["List-Unsubscribe"] = f"<{letter.console.rstrip('/')}/alerts?tab=channels>"
    message.set_content("\n\n".join(_text(letter)))
    message.add_alternative(_html(letter), subtype="html")
    return message


def _text(letter: Letter) -> list[str]:
    pieces = []
    for one in letter.messages:
        lines = [f"[{one.said}] {one.name}", one.summary, "", *(f"{name}: {value}" for name, value in fields(one))]
        if url := link(letter, one):
            lines += ["", url]
        pieces.append("\n".join(lines))
    return pieces


def _html(letter: Letter) -> str:
    parts = []
    for one in letter.messages:
        rows = "".join(
            f'<tr><td style="padding:2px 12px 2px 0;color:#555">{escape(name)}</td><td>{escape(value)}</td></tr>'
            for name, value in fields(one)
        )
        url = link(letter, one)
        more = f'<p><a href="{escape(url)}">Open in Snowgauge</a></p>' if url else ""
        parts.append(
            f'<div style="border-left:4px solid {COLORS[one.said]};padding:4px 12px;margin:0 0 16px">'
            f'<p style="margin:0 0 4px"><b>[{escape(one.said)}] {escape(one.name)}</b></p>'
            f'<p style="margin:0 0 8px">{escape(one.summary)}</p><table>{rows}</table>{more}</div>'
        )
    body = "".join(parts)
    return f'<!doctype html><html><body style="font-family:sans-serif;font-size:14px">{body}</body></html>'
