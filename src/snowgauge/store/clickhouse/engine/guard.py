"""What a request may do, judged on the engine's own parse of its statement.

The engine is a library without users or grants: it reads and writes files, starts programs and calls other hosts with
the rights of this process, also under ``readonly`` (measured, chDB 4.4). So nothing runs before the engine's parser has
taken it apart (``parseQueryToJSON``), and every statement, function, engine and setting in the tree is on an allow-list
(``allowed``). What the parser gives no tree for is refused, but for a few kinds without expressions; what follows
those (``INTO OUTFILE``, ``FORMAT``, ``SETTINGS``, a line each as the engine writes them) is judged apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from snowgauge.store.clickhouse.engine import allowed
from snowgauge.store.clickhouse.engine.exceptions import EngineError, error, from_engine
from snowgauge.store.clickhouse.engine.statements import first_word

_QUERY = re.compile(r"(?<!TablesInSelect)Query$|Control$")
_NO_TREE = re.compile(r"AST node of type '([^']*)' does not support JSON")
_SCOPE = re.compile(r": In scope SELECT parseQueryToJSON\(.*", re.DOTALL)
_DESCRIBE = re.compile(r"(DESCRIBE|DESC) TABLE ")
_PARSER = "SET enable_json_ast_dialect = 1, max_query_size = 1073741824"
_CACHED = 8192
_HARMLESS_CONTROL = (b"USE", b"SET")

Limits = Mapping[str, float]
"""Settings whose value may only be lowered, with the highest there may be."""


class Guard:
    """Judges statements; ``open_handle`` gives a new handle of the engine."""

    def __init__(self, open_handle: Callable[[], Any]) -> None:
        self._open = open_handle
        self._functions, self._combinators, self._known = self._catalog()
        self._judged = lru_cache(maxsize=512)(self._judge)

    def single(self, handle: Any, statement: str) -> None:
        """ClickHouse runs one statement per request; the library would run them all."""
        found = handle.classify_query(statement)
        if found["statement_count"] > 1:
            raise error(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")

    def read_only(self, handle: Any, statement: str) -> None:
        """Raise the engine's READONLY error for a statement that changes something."""
        found = handle.classify_query(statement)
        if found["query_class"].name not in ("READ_ONLY", "UNKNOWN") and (
            first_word(statement.encode("utf-8", "replace")) not in _HARMLESS_CONTROL
        ):
            raise error(164, "READONLY", "Cannot execute query in readonly mode.")

    def check(self, statement: str, limits: Limits, *, maintenance: bool = False) -> None:
        """Raise ``EngineError`` unless everything in the statement stays inside the engine."""
        judge = self._judged if len(statement) <= _CACHED else self._judge
        judge(statement, tuple(sorted(limits.items())), maintenance)

    def settings(self, settings: Mapping[str, str], limits: Limits) -> None:
        """The same for settings that come beside the statement."""
        for name, value in settings.items():
            self._check_setting(name, value, limits)

    def _judge(self, statement: str, limits: tuple[tuple[str, float], ...], maintenance: bool) -> None:
        tree = self._parsed(statement)
        if tree is None:
            return
        known = dict(limits)
        try:
            nodes = msgspec.json.decode(tree)
        except (msgspec.DecodeError, RecursionError):
            raise error(306, "TOO_DEEP_RECURSION", "The statement is nested too deeply to be looked through") from None
        for node in _nodes(nodes):
            self._check_node(node, known, maintenance)

    def _check_node(self, node: dict[str, Any], limits: Limits, maintenance: bool) -> None:
        kind = str(node.get("type", ""))
        if _QUERY.search(kind) and kind not in allowed.STATEMENTS:
            raise _refused(f"statements of the kind {kind}")
        if "out_file" in node or "infile" in node:
            raise _refused("INTO OUTFILE and FROM INFILE")
        if kind == "CreateQuery" and (
            node.get("attach") or node.get("is_dictionary") or node.get("has_attach_from_path")
        ):
            raise _refused("ATTACH and CREATE DICTIONARY")
        if kind == "DropQuery" and str(node.get("kind", "")).upper() == "DETACH":
            raise _refused("DETACH")
        if kind == "SetQuery":
            for change in node.get("changes", ()):
                self._check_setting(str(change["name"]), change.get("value", {}).get("value"), limits)
            for name in node.get("default_settings", ()):
                self._check_setting(str(name), "DEFAULT", limits)
        elif kind == "AlterCommand":
            command = str(node.get("command_type", ""))
            if command not in allowed.ALTERS and not (maintenance and command in allowed.MAINTENANCE_ALTERS):
                raise _refused(f"ALTER … {command.replace('_', ' ')}")
        elif kind in ("Function", "FunctionWithKeyValueArguments"):
            self._check_function(str(node["name"]), str(node.get("kind", "")))
        elif kind == "ColumnsApplyTransformer" and node.get("func_name"):
            self._check_function(str(node["func_name"]), "")

    def _check_function(self, name: str, kind: str) -> None:
        lower = name.lower()
        if kind in ("TABLE_ENGINE", "DATABASE_ENGINE"):
            engines = allowed.TABLE_ENGINES if kind == "TABLE_ENGINE" else allowed.DATABASE_ENGINES
            if lower not in engines:
                raise _refused(f"the engine {name[:100]}")
        elif lower not in self._functions and not self._aggregate(lower):
            if lower not in self._known:
                raise error(46, "UNKNOWN_FUNCTION", f"Function with name `{name[:100]}` does not exist.")
            raise _refused(f"the function {name[:100]}")

    def _check_setting(self, name: str, value: object, limits: Limits) -> None:
        if not allowed.setting(name):
            if name not in self._known:
                raise error(115, "UNKNOWN_SETTING", f"Unknown setting '{name[:100]}'")
            raise error(
                452,
                "SETTING_CONSTRAINT_VIOLATION",
                f"Setting {name[:100]} cannot be changed here: it is not among those that concern the request alone.",
            )
        most = limits.get(name)
        if most is None:
            return
        try:
            number = float(str(value))
        except ValueError:
            number = 0
        if not 0 < number <= most:
            raise error(
                452,
                "SETTING_CONSTRAINT_VIOLATION",
                f"Setting {name} must be a number above 0 and not above {most:.15g}, not {str(value)[:40]!r}.",
            )

    def _aggregate(self, lower: str) -> bool:
        """An aggregate function with combinators: ``sumIf``, ``uniqArrayIfState``."""
        rest = lower
        while True:
            end = next((one for one in self._combinators if rest.endswith(one)), "")
            if not end:
                return False
            rest = rest[: -len(end)]
            if rest in self._functions:
                return True

    def _parsed(self, statement: str) -> bytes | None:
        """The tree; ``None`` for a statement of an allowed kind that has nothing in it to look at."""
        handle = self._open()
        try:
            handle.query(_PARSER, "Null")
            try:
                return _ask(handle, "parseQueryToJSON", statement)
            except RuntimeError as raised:
                found = _NO_TREE.search(str(raised))
                if not found:
                    raise
            if found[1].startswith("DescribeQuery"):
                # what is described is looked at as if it were read
                plain = _ask(handle, "formatQuerySingleLine", statement).decode("utf-8", "surrogateescape")
                if _DESCRIBE.match(plain):
                    return _ask(handle, "parseQueryToJSON", _DESCRIBE.sub("SELECT * FROM ", plain, count=1))
            elif found[1].startswith(allowed.PLAIN_STATEMENTS):
                # how the answer goes out, and with which settings, is looked at as if it were that of another question
                _, _, output = _ask(handle, "formatQuery", statement).decode("utf-8", "surrogateescape").partition("\n")
                return _ask(handle, "parseQueryToJSON", f"SELECT 1\n{output}") if output else None
            raise _refused(f"statements of the kind {found[1][:60]}")
        except RuntimeError as raised:
            told = from_engine(raised)
            raise EngineError(told.code, _SCOPE.sub("", told.text)) from None
        finally:
            handle.close()

    def _catalog(self) -> tuple[frozenset[str], tuple[str, ...], frozenset[str]]:
        """Functions that are allowed, in lower case; the aggregates' combinators, longest first; and all names of
        functions and settings that the engine has."""
        handle = self._open()
        try:
            rows = handle.query(
                "SELECT lower(name), is_aggregate, categories, lower(alias_to) FROM system.functions "
                "WHERE origin = 'System'", "JSONCompactEachRow",
            )  # fmt: skip
            found = [msgspec.json.decode(line) for line in bytes(rows.bytes()).splitlines()]
            rows = handle.query("SELECT lower(name) FROM system.aggregate_function_combinators", "TabSeparatedRaw")
            combinators = bytes(rows.bytes()).decode().split()
            rows = handle.query(
                "SELECT lower(name) FROM system.functions UNION ALL SELECT lower(name) FROM system.table_functions "
                "UNION ALL SELECT name FROM system.settings UNION ALL SELECT name FROM system.merge_tree_settings",
                "TabSeparatedRaw",
            )
            known = frozenset(bytes(rows.bytes()).decode().split())
        finally:
            handle.close()
        names = {name.lower() for name in allowed.FUNCTIONS}
        names |= {
            name for name, aggregate, categories, _ in found if aggregate or categories in allowed.FUNCTION_CATEGORIES
        }
        names |= {name for name, _, _, alias in found if alias in names}
        return (
            frozenset(names) | allowed.TABLE_FUNCTIONS | allowed.PARTS_OF_TABLES,
            tuple(sorted(combinators, key=len, reverse=True)),
            known,
        )


def _ask(handle: Any, function: str, statement: str) -> bytes:
    quoted = statement.replace("\\", "\\\\").replace("'", "\\'")
    return bytes(handle.query(f"SELECT {function}('{quoted}')", "TabSeparatedRaw").bytes() or b"").rstrip(b"\n")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree. The options of EXPLAIN look like settings and are none."""
    left = [tree]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            yield one
            left += [value for key, value in one.items() if (one.get("type"), key) != ("ExplainQuery", "settings")]


def _refused(what: str) -> EngineError:
    return error(
        164,
        "READONLY",
        f"Cannot use {what} here: over this port only what stays inside the engine is allowed "
        "(no files, programs or other hosts).",
    )
