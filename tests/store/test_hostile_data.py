"""Whatever JSON a client sends, the rows beside it are stored and the raw text is kept."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.clickhouse.engine.forms import form_fields
from snowgauge.store.clickhouse.engine.statements import first_word, output_format, split_insert
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.events import described, schema_violation, web_page_view

_numbers = count(1)
_text = st.text(st.characters(), max_size=12)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_text | st.sampled_from(["a", "a.b", "A", "aB"]), inner)
    ),
    max_leaves=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.lists(_json, min_size=1, max_size=5), title=_text)
def test_any_json_is_stored(clickhouse: ClickHouseStore, data: list[Any], title: str) -> None:
    number = next(_numbers) * 100
    uri = "iglu:com.acme/any/jsonschema/1-0-0"
    events = [
        web_page_view(number + n, page_title=title or None, unstruct_event=described(uri, one),
                      contexts=[described(uri, one)])
        for n, one in enumerate(data)
    ]  # fmt: skip
    failed = schema_violation(number, data={"payload": data}, message=title)
    before = clickhouse.count("good", Selection())
    result = clickhouse.write(StoreBatch(f"b{number}", events, [failed]))
    assert (result.events, result.refused, result.failed) == (len(data), 0, 1)
    assert clickhouse.count("good", Selection()) == before + len(data)
    assert clickhouse.failed_event(failed.id) is not None


@given(st.binary(max_size=200))
def test_any_statement_can_be_looked_at(statement: bytes) -> None:
    first_word(statement)
    output_format(statement)
    split_insert(b"INSERT INTO t " + statement)


@given(st.lists(st.tuples(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.binary(max_size=50)), max_size=5))
def test_forms_are_read_back(fields: list[tuple[str, bytes]]) -> None:
    boundary = b"--=snowgauge-test-boundary"
    body = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (boundary, name.encode(), value)
        for name, value in fields
    )
    found = form_fields(f'multipart/form-data; boundary="{boundary.decode()}"', body + b"--" + boundary + b"--\r\n")
    assert found == [(name, value.decode("utf-8", "surrogateescape")) for name, value in fields]
