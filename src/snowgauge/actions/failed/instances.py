"""The data behind failures of a group: what a schema for it can be drafted from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from snowgauge.actions.failed.document import document_of
from snowgauge.actions.failed.row import FailedRow
from snowgauge.actions.failed.subject import NotReplayable, subject_of
from snowgauge.errors import ActionRefused
from snowgauge.store.base import Filter, Reader, Selection

_MOST = 20_000


def schema_of_group(store: Reader, group: str) -> str:
    """The schema at fault in a group, when there is one. Raises ``ActionRefused``."""
    selection = Selection(filters=[Filter("cause", "in", (group,))])
    found = Counter({str(b.key): b.count for b in store.count_by("failed", "schema", selection) if b.key is not None})
    if not found:
        known = store.count("failed", selection)
        why = "its failures name no schema" if known else "there is no such group; see `snowgauge failed groups`"
        raise ActionRefused(f"group {group!r}: {why}")
    return found.most_common(1)[0][0]


def instances_of_group(store: Reader, group: str, schema: str, *, most: int = _MOST) -> Iterator[Any]:
    """``data`` of every event and entity of the schema in the group's failed events."""
    given = 0
    for found in store.failed_events(Selection(filters=[Filter("cause", "in", (group,))])):
        try:
            document = document_of(subject_of(FailedRow.of(found)))
        except NotReplayable:
            continue
        for data in _of_schema(document, schema):
            yield data
            given += 1
            if given >= most:
                return


def _of_schema(value: Any, schema: str) -> Iterator[Any]:
    if isinstance(value, Mapping):
        if value.get("schema") == schema and "data" in value:
            yield value["data"]
        for inner in value.values():
            yield from _of_schema(inner, schema)
    elif isinstance(value, list):
        for inner in value:
            yield from _of_schema(inner, schema)
