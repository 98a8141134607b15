"""The enriched event as text: the canonical TSV, canonical JSON, and the ``enriched`` object of a bad row."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any

import msgspec
import orjson

from snowgauge.errors import SelfDescribingError
from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.json_text import compact, stored
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.timestamps import parse_ms, tsv_text

CONTEXTS_SCHEMA = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
UNSTRUCT_SCHEMA = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"

_NAMES = tuple(field.name for field in ATOMIC_FIELDS)
_AT = {
    kind: tuple(i for i, f in enumerate(ATOMIC_FIELDS) if f.kind == kind) for kind in {f.kind for f in ATOMIC_FIELDS}
}
_TXN_ID = _NAMES.index("txn_id")


class NotEnriched(ValueError):
    """A line that is not an enriched event; the text says what is wrong with it."""


def contexts_text(entities: list[SelfDescribing]) -> str | None:
    """The column's JSON with its wrapper; ``None`` when there is no entity."""
    if not entities:
        return None
    return f'{{"schema":"{CONTEXTS_SCHEMA}","data":[{",".join([_text(entity) for entity in entities])}]}}'


def unstruct_text(event: SelfDescribing | None) -> str | None:
    """The column's JSON with its wrapper."""
    return None if event is None else f'{{"schema":"{UNSTRUCT_SCHEMA}","data":{_text(event)}}}'


def _text(item: SelfDescribing) -> str:
    data = item.literal if item.literal is not None else compact(item.data)
    return f'{{"schema":"{item.schema.uri}","data":{data}}}'


def _values(event: EnrichedEvent) -> list[Any]:
    """Column values with everything but flags and numbers as the TSV writes it."""
    values = list(msgspec.structs.astuple(event))
    for i in _AT["timestamp"]:
        if values[i] is not None:
            values[i] = tsv_text(values[i])
    for i in _AT["entities"]:
        values[i] = contexts_text(values[i])
    for i in _AT["event"]:
        values[i] = unstruct_text(values[i])
    return values


def to_tsv(event: EnrichedEvent) -> str:
    """131 fields separated by tabs, without a line end."""
    values = _values(event)
    for i in _AT["boolean"]:
        if values[i] is not None:
            values[i] = "1" if values[i] else "0"
    for i in _AT["int"]:
        if values[i] is not None:
            values[i] = str(values[i])
    for i in _AT["float"]:
        if values[i] is not None:
            values[i] = float_text(values[i])
    return "\t".join(["" if value is None else value for value in values])


def float_text(value: float) -> str:
    """The shortest text that reads back as the same 32-bit number, as Java prints a Float."""
    narrow = _narrow(value)
    text = next(t for digits in range(1, 10) if _narrow(float(t := f"{narrow:.{digits}g}")) == narrow)
    if narrow and not 1e-3 <= abs(narrow) < 1e7:
        sign, digits, exponent = Decimal(text).normalize().as_tuple()
        assert isinstance(exponent, int)
        shown = "".join(map(str, digits))
        return f"{'-' * sign}{shown[0]}.{shown[1:] or '0'}E{exponent + len(digits) - 1}"
    return repr(float(text))


def narrowed(value: float) -> float:
    """The number as a 32-bit column shows it: 43.88 and not 43.880001068115234, in TSV, JSON and every store."""
    return float(float_text(value))


def _narrow(value: float) -> float:
    narrow: float = struct.unpack("f", struct.pack("f", value))[0]
    return narrow


def from_tsv(line: str) -> EnrichedEvent:
    """Read a line back. Raises :class:`NotEnriched`."""
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) != len(ATOMIC_FIELDS):
        raise NotEnriched(f"expected {len(ATOMIC_FIELDS)} fields separated by tabs, found {len(fields)}")
    columns: dict[str, Any] = {}
    for field, text in zip(ATOMIC_FIELDS, fields, strict=True):
        if text:
            try:
                columns[field.name] = _value(field.kind, text)
            except (ValueError, KeyError, TypeError, SelfDescribingError) as error:
                raise NotEnriched(f"column {field.name} holds {text[:80]!r}: {error}") from None
    return EnrichedEvent(**columns)


def _value(kind: str, text: str) -> Any:
    match kind:
        case "timestamp":
            return parse_ms(text)
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "boolean":
            return {"1": True, "0": False}[text]
        case "event":
            return read_event(text)
        case "entities":
            return read_entities(text)
    return text


def read_event(text: str) -> SelfDescribing:
    """A self-describing event from its column's text. Raises ``ValueError`` or :class:`SelfDescribingError`."""
    return _item(msgspec.json.decode(text, type=_Wrapper).data)


def read_entities(text: str) -> list[SelfDescribing]:
    """Entities from their column's text. Raises ``ValueError`` or :class:`SelfDescribingError`."""
    items = msgspec.json.decode(msgspec.json.decode(text, type=_Wrapper).data, type=list[msgspec.Raw])
    return [_item(raw) for raw in items]


class _Wrapper(msgspec.Struct):
    schema: str
    data: msgspec.Raw


def _item(raw: msgspec.Raw) -> SelfDescribing:
    wrapper = msgspec.json.decode(raw, type=_Wrapper)
    literal = bytes(wrapper.data).decode()
    item = SelfDescribing.parse({"schema": wrapper.schema, "data": stored(literal)})
    return SelfDescribing(item.schema, item.data, literal)


def json_text(event: EnrichedEvent) -> bytes:
    """Canonical JSON, all 131 columns: integers and flags as such, decimals and timestamps as in the TSV, the three
    self-describing columns as objects with their wrappers, number literals in them as received."""
    return orjson.dumps(_json_values(event))


def json_fragment(event: EnrichedEvent) -> orjson.Fragment:
    """The same, to be put into a larger ``orjson`` document."""
    return orjson.Fragment(json_text(event))


def as_json(event: EnrichedEvent) -> dict[str, Any]:
    """The same as values."""
    values: dict[str, Any] = stored(json_text(event))
    return values


def _json_values(event: EnrichedEvent) -> dict[str, Any]:
    values = _values(event)
    for i in (*_AT["entities"], *_AT["event"]):
        if values[i] is not None:
            values[i] = orjson.Fragment(values[i])
    return dict(zip(_NAMES, values, strict=True))


def bad_row_columns(event: EnrichedEvent) -> dict[str, Any]:
    """``payload.enriched`` of a bad row: flags as 0 and 1, txn_id and decimals as text, self-describing columns as JSON
    text (enrich 6.10)."""
    values = _values(event)
    for i in _AT["boolean"]:
        if values[i] is not None:
            values[i] = int(values[i])
    if values[_TXN_ID] is not None:
        values[_TXN_ID] = str(values[_TXN_ID])
    return dict(zip(_NAMES, values, strict=True))
