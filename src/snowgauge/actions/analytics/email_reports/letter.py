"""A summary as an e-mail: text, and HTML that loads nothing from anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from snowgauge.actions.analytics.email_reports.summary import Line, Summary

_DOMAIN = "snowgauge.invalid"
_COLORS = {True: "#1a7f37", False: "#b3261e", None: "#555555"}


@dataclass(frozen=True)
class Envelope:
    """``id``: the same whenever it is sent again. ``leave``: where the recipient ends it; empty: nowhere that we know.
    ``console``: where the console is, or empty."""

    id: str
    sender: str
    to: str
    at: int
    leave: str = ""
    console: str = ""


def letter(summary: Summary, envelope: Envelope) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = " ".join(summary.subject.split())[:200]
    message["From"] = envelope.sender
    message["To"] = envelope.to
    message["Date"] = format_datetime(datetime.fromtimestamp(envelope.at / 1000, UTC))
    message["Message-ID"] = f"<{envelope.id}@{_DOMAIN}>"
    message["Auto-Submitted"] = "auto-generated"
    if envelope.leave:
        message["List-Unsubscribe"] = f"<{envelope.leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(_text(summary, envelope))
    message.add_alternative(_html(summary, envelope), subtype="html")
    return message


def _link(summary: Summary, envelope: Envelope) -> str:
    return f"{envelope.console.rstrip('/')}{summary.path}" if envelope.console else ""


def _text(summary: Summary, envelope: Envelope) -> str:
    lines = [f"{summary.name}, {summary.title}", ""]
    lines += [_row(one) for one in summary.top]
    for section in summary.sections:
        lines += ["", section.title, *(_row(one) for one in section.lines)]
    if not summary.sections:
        lines += ["", summary.note]
    if link := _link(summary, envelope):
        lines += ["", link]
    if envelope.leave:
        lines += ["", f"No more of these: {envelope.leave}"]
    return "\n".join(lines) + "\n"


def _row(line: Line) -> str:
    return f"  {line.value:>12}  {line.label}" + (f" ({line.change})" if line.change else "")


def _html(summary: Summary, envelope: Envelope) -> str:
    parts = [f'<h1 style="font-size:18px;margin:0">{escape(summary.name)}</h1>', f"<p>{escape(summary.title)}</p>"]
    if summary.top:
        parts.append(_table(summary.top))
    for section in summary.sections:
        parts += [f'<h2 style="font-size:15px;margin:20px 0 4px">{escape(section.title)}</h2>', _table(section.lines)]
    if not summary.sections:
        parts.append(f"<p>{escape(summary.note)}</p>")
    if link := _link(summary, envelope):
        parts.append(f'<p><a href="{escape(link)}">Open in Snowgauge</a></p>')
    if envelope.leave:
        parts.append(f'<p style="color:#555"><a href="{escape(envelope.leave)}">No more of these</a></p>')
    body = "".join(parts)
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;font-size:14px;max-width:600px">'
        f"{body}</body></html>"
    )


def _table(lines: list[Line]) -> str:
    rows = []
    for line in lines:
        change = f'<span style="color:{_COLORS[line.good]}">{escape(line.change)}</span>' if line.change else ""
        rows.append(
            f'<tr><td style="padding:3px 16px 3px 0;word-break:break-all">{escape(line.label)}</td>'
            f'<td style="padding:3px 16px 3px 0;text-align:right"><b>{escape(line.value)}</b></td>'
            f"<td>{change}</td></tr>"
        )
    return f'<table style="border-collapse:collapse">{"".join(rows)}</table>'
