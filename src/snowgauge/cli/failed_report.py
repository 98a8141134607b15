"""What became of failed events, told to a person or as JSON lines to a program."""

from __future__ import annotations

import difflib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from rich.text import Text

from snowgauge.cli.context import err, out, table

if TYPE_CHECKING:
    from snowgauge.actions.failed.document import Document
    from snowgauge.actions.failed.recover import Report, Totals


@contextmanager
def progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar of a recovery: gives the function that moves it by one row."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    with Progress(
        SpinnerColumn(), TextColumn("recovering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


class Teller:
    """Shows the first of the events that a dry run went over; as JSON every one. ``lost``: why, and how many rows."""

    def __init__(self, most: int, *, as_json: bool) -> None:
        self.lost: Counter[str] = Counter()
        self._left = most
        self._as_json = as_json

    def __call__(self, report: Report) -> None:
        from snowgauge.events.outcome import Enriched, Failed

        if report.verdict == "lost":
            self.lost[f"{report.row.failure_type}: {report.reason}"] += 1
        if self._as_json:
            replayed = report.replayed
            json_line(
                {
                    "id": report.row.id,
                    "verdict": report.verdict,
                    "reason": report.reason or None,
                    "into": report.into,
                    "before": None if replayed is None else replayed.before,
                    "after": None if replayed is None else replayed.after,
                }
            )
        elif self._left > 0 and report.verdict != "left":
            self._left -= 1
            out.print(f"[bold]{report.verdict}[/] {report.row.id}", end=" ")
            out.print(Text(report.reason))
            if report.replayed is not None:
                _print_difference(report.replayed.before, report.replayed.after)
                for outcome in report.replayed.outcomes:
                    if isinstance(outcome, Enriched):
                        event = outcome.event
                        out.print(Text(f"  becomes {event.event_name} {event.event_id}"))
                    elif isinstance(outcome, Failed) and report.verdict != "failed":
                        out.print(Text(f"  leaves failed: {outcome.failure.message}"))


def _print_difference(before: Document, after: Document) -> None:
    lines = list(difflib.unified_diff(pretty(before).splitlines(), pretty(after).splitlines(), lineterm="", n=1))
    for line in lines[2:]:
        style = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
        out.print(Text(f"  {line}", style=style))


def print_totals(totals: Totals, lost: Mapping[str, int], *, dry_run: bool, as_json: bool) -> None:
    """The sums of a run; ``lost``: why rows could not be replayed, and how many."""
    if as_json:
        json_line({"totals": totals})
        return
    would = "would be " if dry_run else ""
    rows = [
        (f"{would}recovered", totals.recovered, _into(totals.events + totals.already)),
        (f"{would}failed again", totals.failed, "they stay open"),
        (f"{would}dropped", totals.dropped, "by an enrichment"),
        ("left alone", totals.left, "not chosen by a condition, function or configuration"),
        ("waiting", totals.waiting, "a registry is unreachable"),
        ("not replayable", totals.lost, "the request is not kept"),
    ]
    out.print(table(("", "rows", ""), [row for row in rows if row[1]] or [("nothing to do", 0, "")]))
    for reason, number in lost.items():
        out.print(Text(f"{number} not replayable, {reason}"), soft_wrap=True)
    if totals.already:
        out.print(f"{totals.already} events had been stored before and were not stored again")
    if totals.new_failures:
        out.print(f"{totals.new_failures} events of recovered requests failed and are failed events of their own")


def json_line(value: Any) -> None:
    """One line of JSON on the standard output."""
    sys.stdout.write(orjson.dumps(msgspec.to_builtins(value, enc_hook=str), default=_any).decode() + "\n")


def _any(value: Any) -> Any:
    """Numbers that remember their spelling, and integers beyond 64 bits."""
    return float(value) if isinstance(value, float | int) else str(value)


def json_text(value: Any) -> str:
    """A value in one line."""
    from snowgauge.events.json_text import compact

    return compact(value) if not isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def pretty(value: Any) -> str:
    """A value in as many lines as it needs."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def cell(value: object) -> str:
    """A cell: whatever is in it is text, not markup."""
    from rich.markup import escape

    return "" if value is None else escape(str(value))


def _into(events: int) -> str:
    return f"into {events} event{'' if events == 1 else 's'}"
