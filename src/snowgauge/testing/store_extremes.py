"""What every store does with the most extreme values a client can send, as property tests.

Beside ``store_contract``: a backend inherits ``StoreExtremes`` and gives a fixture ``store``.
"""

from __future__ import annotations

from itertools import count
from typing import Any, ClassVar
from uuid import NAMESPACE_OID, uuid5

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.enriched_tsv import as_json, from_tsv, to_tsv
from snowgauge.events.json_text import compact, plain, read
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.timestamps import MAX_MS, MIN_MS
from snowgauge.store.base import Selection, Store, StoreBatch
from snowgauge.testing.events import NOON, schema_violation, web_page_view

_numbers = count(1)
_ANY = SchemaKey("com.acme", "extreme", "jsonschema", 1, 0, 0)
_FURTHEST = MIN_MS - MAX_MS  # the earliest derived_tstamp: sent at the end of the calendar, created at its beginning

CHARACTERS = st.sampled_from("a\x00\t\n\r\\\"'\x7f\x85\u2028\ufffe\U0010ffff\ud800\udfff😀")
TEXTS = st.text(CHARACTERS, max_size=12) | st.text(max_size=12) | st.sampled_from(["x" * 70_000, "\\N", "\\.", "\x00"])
NUMBERS = st.sampled_from(
    ["1e999", "-1e999", "1E+400", "1.7976931348623159e308", "9" * 400, "-" + "9" * 5000, "1e-999", "-0", "-0.0",
     "5e-324", "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1.10", "1e3", "0." + "3" * 900]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.sampled_from(["a", "A", "a.b"]), inner),
    max_leaves=10,
)


def kept_text(text: str) -> str:
    """What the record of a request keeps of a text: columns never have lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def data_of(text: str) -> SelfDescribing:
    """Self-describing data as enrich makes it of this JSON text."""
    value = read(text, 1000)
    return SelfDescribing(_ANY, plain(value), compact(value))


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """JSON text as a client may send it: any values and keys, numbers of any size, deep, and with lone surrogates."""
    import json

    text = json.dumps(draw(_JSON), ensure_ascii=draw(st.booleans()))
    number, depth = draw(NUMBERS), draw(st.integers(0, 45))
    return f'{{"unitPrice":{number},"l":[{number},{text}],"deep":{"[" * depth}{number}{"]" * depth}}}'


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS.map(kept_text).filter(bool),
    "uuid": st.uuids().map(str),
    "timestamp": st.sampled_from([MIN_MS, MIN_MS - 1, _FURTHEST, MAX_MS, 0, -1, NOON, -2_208_988_800_000])
    | st.integers(_FURTHEST, MAX_MS),
    "int": st.sampled_from([-(2**31), 2**31 - 1, 0]) | st.integers(-(2**63), 2**63),
    "boolean": st.booleans(),
    "decimal": st.sampled_from(
        ["0", "0.005", "-0.005", "1E-4000", "1" + "0" * 4000, "9" * 400, "-" + "9" * 30, "1e-7", "0." + "3" * 900]
    )
    | st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: format(number, "f")),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "event": st.none() | json_texts().map(data_of),
    "entities": st.lists(json_texts().map(data_of), max_size=2),
}


@st.composite
def extreme_events(draw: st.DrawFn) -> EnrichedEvent:
    """An event with extreme values in some of its columns."""
    number = next(_numbers)
    columns = {
        field.name: draw(_VALUES[field.kind])
        for field in draw(st.lists(st.sampled_from(ATOMIC_FIELDS), max_size=12, unique=True))
        if field.name not in ("event_id", "collector_tstamp")
    }
    if draw(st.booleans()):
        columns["collector_tstamp"] = draw(st.none() | st.sampled_from([MIN_MS, MAX_MS, 0, NOON]))
    return web_page_view(number, event_id=str(uuid5(NAMESPACE_OID, f"extreme-{number}")), **columns)


class StoreExtremes:
    """Inherit as ``class TestX(StoreExtremes)`` and define the fixture ``store`` giving an empty, migrated store."""

    examples: ClassVar[int] = 25

    def test_extreme_values_cost_themselves_only(self, store: Store) -> None:
        """All of a batch is stored or filed, its ordinary events are stored, and everything can be read afterwards."""

        @settings(max_examples=self.examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(events=st.lists(extreme_events(), min_size=1, max_size=4))
        def whatever_comes(events: list[EnrichedEvent]) -> None:
            number = next(_numbers)
            ordinary = [web_page_view(10_000_000 + number)]
            batch = StoreBatch(f"extreme-{number}", [*events, *ordinary], [schema_violation(number)], events)
            result = store.write(batch)
            assert result.events + result.refused == len(batch.events)
            assert result.failed == 1
            assert store.write(batch).repeated
            assert store.event(str(ordinary[0].event_id)) is not None
            for event in events:
                found = store.event(str(event.event_id))
                assert found is None or readable(found)

        whatever_comes()
        for kind in ("good", "failed", "incomplete"):
            assert all(readable(row) for row in store.events(kind, Selection(), limit=10_000))

    @pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400])
    def test_a_number_beyond_a_double_is_read_as_its_literal(self, store: Store, number: str) -> None:
        """Never as infinity, and never as another number."""
        event = web_page_view(1, unstruct_event=data_of(f'{{"unitPrice":{number}}}'))
        assert store.write(StoreBatch("beyond", [event])).events == 1
        row = store.event(str(event.event_id))
        assert row is not None
        assert row["unstruct_event"]["data"]["data"] == {"unitPrice": number}


def readable(row: dict[str, Any]) -> bool:
    """Can every writer of JSON write it?"""
    import json

    text = msgspec.json.encode(row)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    return json.dumps(row, allow_nan=False) != ""


def written(event: EnrichedEvent) -> bool:
    """Does every form of an event's text come about, and is its TSV read back?"""
    line = to_tsv(event)
    assert line.count("\t") == len(ATOMIC_FIELDS) - 1
    assert to_tsv(from_tsv(line)) == line
    return readable(as_json(event))
