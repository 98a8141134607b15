"""Which failed events: columns, which the store selects by, and paths into the event, looked at one by one."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from snowgauge.actions.failed.document import Document
from snowgauge.actions.failed.edits import json_or_text
from snowgauge.actions.failed.paths import Path, parse, values
from snowgauge.errors import ActionRefused
from snowgauge.events.timestamps import parse_ms
from snowgauge.store.base import Filter, Selection
from snowgauge.store.canonical import FAILED_FIELDS

_WHERE = re.compile(r"(?P<left>(?:\[[^\]]*\]|[^=!~\[])+)(?P<op>!=|=|~)(?P<value>.*)", re.DOTALL)


class Condition(msgspec.Struct):
    """``=`` and ``!=`` compare with JSON or text, ``~`` looks for a part of a text in any case."""

    path: Path
    op: Literal["=", "!=", "~"]
    value: str

    def holds(self, document: Document) -> bool:
        found = values(document, self.path)
        if self.op == "~":
            return any(self.value.lower() in str(value).lower() for value in found)
        wanted = (self.value, json_or_text(self.value))
        equal = any(any(_equal(value, one) for one in wanted) for value in found)
        return equal is (self.op == "=")


def _equal(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other)


class Choice(msgspec.Struct, omit_defaults=True):
    """A selection as it is written on a command line. Empty lists select all."""

    group: list[str] = []
    type: list[str] = []
    schema: list[str] = []
    app_id: list[str] = []
    id: list[str] = []
    status: list[str] = msgspec.field(default_factory=lambda: ["open"])
    since: str | None = None
    until: str | None = None
    where: list[str] = []

    def selection(self, *more: Filter) -> Selection:
        """What the store can select by. Raises ``ActionRefused``."""
        columns = {"cause": self.group, "failure_type": self.type, "app_id": self.app_id, "id": self.id,
                   "schema": self.schema, "status": self.status}  # fmt: skip
        filters = [Filter(column, "in", tuple(values)) for column, values in columns.items() if values]
        filters += [one for one in map(_read, self.where) if isinstance(one, Filter)]
        return Selection(_ms(self.since, "--since"), _ms(self.until, "--until"), [*filters, *more])

    def conditions(self) -> list[Condition]:
        """What has to be looked at event by event."""
        return [one for one in map(_read, self.where) if isinstance(one, Condition)]


def _read(text: str) -> Filter | Condition:
    found = _WHERE.fullmatch(text)
    if found is None:
        raise ActionRefused(f"--where {text!r}: write COLUMN=VALUE, PATH=VALUE, or != or ~ (contains) for the sign")
    left, op, value = found["left"].strip(), found["op"], found["value"]
    if left in FAILED_FIELDS:
        operation: dict[str, Literal["in", "not_in", "contains"]] = {"=": "in", "!=": "not_in", "~": "contains"}
        return Filter(left, operation[op], (value,))
    if op not in ("=", "!=", "~"):
        raise ActionRefused(f"--where {text!r}: use =, != or ~")
    return Condition(parse(left), op, value)  # type: ignore[arg-type]


def _ms(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    if text.isdigit() and len(text) > 8:
        return int(text)
    try:
        return parse_ms(text)
    except ValueError:
        raise ActionRefused(f"{option} {text!r}: write a time such as 2024-05-01 or 2024-05-01T10:00:00Z") from None
