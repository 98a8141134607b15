"""What a read-only request may not do, judged on the engine's own parse of the statement.

The engine's ``readonly`` setting is not enough: with ``readonly=2`` (every GET request) table functions still read
files and call other hosts, and ``INTO OUTFILE`` writes files even under ``readonly=1`` (measured, chDB 4.4). So a
read-only statement must be one statement, of the engine's class READ_ONLY, and use no function that reaches outside.
"""

from __future__ import annotations

import re
from typing import Any

from snowgauge.store.clickhouse.engine.exceptions import error, from_engine
from snowgauge.store.clickhouse.engine.statements import first_word

_INNER_TABLE_FUNCTIONS = frozenset(
    [
        "cluster",
        "clusterallreplicas",
        "dictionary",
        "format",
        "fuzzjson",
        "fuzzquery",
        "generate_series",
        "generaterandom",
        "generateseries",
        "input",
        "loop",
        "merge",
        "mergetreeindex",
        "mergetreeprojection",
        "null",
        "numbers",
        "numbers_mt",
        "primes",
        "values",
        "view",
        "viewexplain",
        "viewifpermitted",
        "zeros",
        "zeros_mt",
    ]
)
"""Table functions that stay inside the engine; any other, known now or added later, is refused."""
_OUTSIDE_FUNCTIONS = frozenset(["file", "catboostevaluate", "executable", "python", "structuretocapnproto"])
_FUNCTION = re.compile(r"^\s*(?:Table)?Function (\S+)", re.MULTILINE)
_HARMLESS_CONTROL = (b"USE", b"SET")


class Guard:
    """Judges statements on behalf of read-only requests."""

    def __init__(self, handle: Any) -> None:
        rows = bytes(handle.query("SELECT lower(name) FROM system.table_functions", "TabSeparatedRaw").bytes())
        self._refused = (frozenset(rows.decode().split()) - _INNER_TABLE_FUNCTIONS) | _OUTSIDE_FUNCTIONS

    def single(self, handle: Any, statement: str) -> None:
        """ClickHouse runs one statement per request; the library would run them all."""
        found = handle.classify_query(statement)
        if found["statement_count"] > 1:
            raise error(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")

    def check(self, handle: Any, statement: str, parameters: dict[str, str]) -> None:
        """Raise the engine's READONLY error unless the statement only reads what the engine holds."""
        found = handle.classify_query(statement)
        if found["query_class"].name == "UNKNOWN":
            return  # not parseable: the engine says why when it is run
        if found["query_class"].name != "READ_ONLY" and first_word(statement.encode()) not in _HARMLESS_CONTROL:
            raise error(164, "READONLY", "Cannot execute query in readonly mode.")
        try:
            tree = bytes(handle.query(f"EXPLAIN AST {statement}", "TabSeparatedRaw", params=parameters).bytes() or b"")
        except RuntimeError as raised:
            raise from_engine(raised) from None
        for name in _FUNCTION.findall(tree.decode("utf-8", "replace")):
            if name.strip("`\"'").lower() in self._refused:
                raise error(
                    164,
                    "READONLY",
                    f"Cannot use function {name} in readonly mode: it reaches files or other hosts.",
                )
