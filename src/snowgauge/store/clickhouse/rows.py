"""Events as rows of ``JSONEachRow``: what the engine reads whatever the values are like.

Nearly all events go as ``blocks``, which are cheaper.

A row names only what is set. The frame is encoded by msgspec in one call from a struct that mirrors the event; the
columns of schemas are appended to it. Data goes into JSON columns normalised (``columns.field_name``): client JSON as
received would fail whole inserts by duplicated keys and merge dotted keys with nesting. The raw text columns keep it
byte for byte.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import msgspec

from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.failed_cause import cause_of
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.timestamps import tsv_text
from snowgauge.store.canonical import contexts_text, failed_time, money, unstruct_text
from snowgauge.store.clickhouse.columns import field_name, schema_column
from snowgauge.store.clickhouse.schemas import SchemaColumns

_Row: Any = msgspec.defstruct(
    "_Row", [(field.name, Any, None) for field in ATOMIC_FIELDS], omit_defaults=True, gc=False
)
_TIMES = tuple(field.name for field in ATOMIC_FIELDS if field.kind == "timestamp")
_MONEY = tuple(field.name for field in ATOMIC_FIELDS if field.kind == "decimal" and field.name != "se_value")
_INDEX = {field.name: at for at, field in enumerate(ATOMIC_FIELDS)}
_TIME_AT = tuple(_INDEX[name] for name in _TIMES)
_MONEY_AT = tuple(_INDEX[name] for name in _MONEY)
_CONTEXTS, _UNSTRUCT, _DERIVED = _INDEX["contexts"], _INDEX["unstruct_event"], _INDEX["derived_contexts"]
_VERSION = "_schema_version"
_encode = msgspec.json.Encoder().encode
_MAX_INT = 2**64
_MIN_INT = -(2**63)


def event_row(event: EnrichedEvent, schemas: SchemaColumns, used: set[str]) -> bytes:
    """One event as a JSON object; ``used`` collects the schema columns it names."""
    values = list(msgspec.structs.astuple(event))
    for at in _TIME_AT:
        ms = values[at]
        if ms is not None:
            values[at] = tsv_text(ms)
    for at in _MONEY_AT:
        text = values[at]
        if text is not None:
            values[at] = money(text)
    contexts: list[SelfDescribing] = values[_CONTEXTS]
    derived: list[SelfDescribing] = values[_DERIVED]
    unstruct: SelfDescribing | None = values[_UNSTRUCT]
    values[_CONTEXTS] = contexts_text(contexts) or None
    values[_DERIVED] = contexts_text(derived) or None
    values[_UNSTRUCT] = unstruct_text(unstruct) or None
    try:
        row = _encode(_Row(*values))
    except UnicodeEncodeError:
        row = _encode(_Row(*[_valid(value) if isinstance(value, str) else value for value in values]))
    more: list[bytes] = []
    if unstruct is not None:
        column = schemas.column(unstruct.schema, event=True)
        if column:
            used.add(column)
            more.append(b'"%b":%b' % (column.encode(), _quoted(schema_data(unstruct.data), schemas)))
    if contexts or derived:
        groups: dict[str, list[bytes]] = {}
        for entity in (*contexts, *derived):
            column = schemas.column(entity.schema, event=False)
            if column:
                data = schema_data(entity.data, entity.schema.version)
                groups.setdefault(column, []).append(_quoted(data, schemas))
        used.update(groups)
        more += [b'"%b":[%b]' % (column.encode(), b",".join(items)) for column, items in groups.items()]
    return row[:-1] + b"," + b",".join(more) + b"}\n" if more else row + b"\n"


def _quoted(data: bytes, schemas: SchemaColumns) -> bytes:
    return data if schemas.features.json else _encode(data.decode())


def schema_data(data: Any, version: str | None = None) -> bytes:
    """The data of one entity, ready for a JSON column. ``_schema_version`` is ours; a field so named goes beside it."""
    if type(data) is dict and len(data) <= _MOST_FIELDS and _FLAT.issuperset(map(type, data.values())):
        # nearly all data: no nesting, and fields that were met before
        shape = _shape(version, tuple(data))
        if shape is not None:
            try:
                return _encode(shape(*data.values()))
            except (UnicodeEncodeError, OverflowError):
                pass
    out: dict[str, Any] = {} if version is None else {_VERSION: version}
    if isinstance(data, dict):
        _fill(out, data)
    else:
        out["value"] = _normal(data)  # a JSON column holds objects only
    try:
        return _encode(out)
    except UnicodeEncodeError:
        return _encode(_valid_deep(out))


_MOST_FIELDS = 100
_FLAT = frozenset((str, int, float, bool, type(None)))


@lru_cache(maxsize=2_000)
def _shape(version: str | None, fields: tuple[str, ...]) -> Any:
    """A struct that encodes the values of these fields under their names in a JSON column, version first.

    ``None`` where two fields would have one name, or one has ours.
    """
    names = [field_name(field) for field in fields]
    if len(set(names)) != len(names) or _VERSION in names:
        return None
    places = [f"at{place}" for place in range(len(names))]
    tag = {} if version is None else {"tag_field": _VERSION, "tag": version}
    return msgspec.defstruct("_Shape", places, rename=dict(zip(places, names, strict=True)), gc=False, **tag)  # type: ignore[arg-type]


_SCALARS = (str, float, bool, type(None))


def _fill(out: dict[str, Any], data: dict[str, Any]) -> None:
    """Add the fields of ``data``; of keys with one name the first that is set has it, others get ``name_2``, ..."""
    taken: set[str] = set()
    following: dict[str, int] = {}
    for key, value in data.items():
        name = field_name(key)
        if out.get(name) is not None:
            if value is None:
                continue
            taken = taken or {*out, *map(field_name, data)}
            number = following.get(name, 2)
            while f"{name}_{number}" in taken:
                number += 1
            following[name] = number + 1
            name = f"{name}_{number}"
            taken.add(name)
        # most values are text or numbers: no call for those
        out[name] = value if type(value) in _SCALARS else _normal(value)


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        out: dict[str, Any] = {}
        _fill(out, value)
        return out
    if isinstance(value, list):
        return [_normal(inner) for inner in value]
    if isinstance(value, int) and not _MIN_INT <= value < _MAX_INT:
        return str(value)  # the type holds 64 bits; digits beyond a double would be lost
    return value


def _valid(text: str) -> str:
    """Text without lone surrogates, which have no form in UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _valid_deep(value: Any) -> Any:
    if isinstance(value, str):
        return _valid(value)
    if isinstance(value, dict):
        return {_valid(key): _valid_deep(inner) for key, inner in value.items()}
    return [_valid_deep(inner) for inner in value] if isinstance(value, list) else value


def failed_row(failed: FailedEvent) -> bytes:
    """One failed event as a JSON object."""
    row = {
        "id": failed.id,
        "failure_type": failed.failure_type,
        "failed_at": tsv_text(failed.failed_at),
        "tstamp": tsv_text(failed_time(failed)),
        "app_id": failed.app_id or "",
        "platform": failed.platform or "",
        "event_id": failed.event_id or None,
        "event_name": failed.event_name or "",
        "tracker": failed.tracker or "",
        "collector_tstamp": None if failed.collector_tstamp is None else tsv_text(failed.collector_tstamp),
        "schema": failed.schema or "",
        "message": failed.message,
        "record": "" if failed.record is None else base64.b64encode(failed.record).decode(),
        "event_index": failed.event_index,
        "seed": failed.seed or "",
        "cause": cause_of(failed),
    }
    try:
        row["bad_row"] = failed.bad_row_json().decode()
        return bytes(_encode(row)) + b"\n"
    except (UnicodeEncodeError, OverflowError):
        row["bad_row"] = _encode(_valid_deep(_small(failed.bad_row()))).decode()
        return bytes(_encode(_valid_deep(row))) + b"\n"


def _small(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _small(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_small(inner) for inner in value]
    return str(value) if isinstance(value, int) and not _MIN_INT <= value < _MAX_INT else value


def failed_columns() -> tuple[str, ...]:
    return (
        "id", "failure_type", "failed_at", "tstamp", "app_id", "platform", "event_id", "event_name", "tracker",
        "collector_tstamp", "schema", "message", "record", "event_index", "bad_row",
        "seed", "cause",
    )  # fmt: skip


__all__ = ["event_row", "failed_columns", "failed_row", "schema_column"]
