"""Checks self-describing data against its schema."""

from __future__ import annotations

import math
from decimal import Decimal
from threading import Lock
from typing import Any

import msgspec

from snowgauge.errors import RegistryOutage, SchemaResolutionError
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.iglu.compiled import TOO_DEEP, CompiledSchema, SchemaIssues, compile_schema
from snowgauge.iglu.contract import Invalid, ValidSchema, unresolved
from snowgauge.iglu.depth import depth_exceeds
from snowgauge.iglu.reports import Report
from snowgauge.iglu.resolver import Found, IgluResolver

_VALID = ValidSchema()
_DEPTH_REPORT = Report(TOO_DEEP, "/", None, ())


class _Broken(msgspec.Struct, frozen=True):
    """A schema that cannot be used, with the issues of the bad row."""

    issues: list[dict[str, str]]


class IgluValidator:
    """A schema is compiled at its first use and lives as long as it does in the resolver's cache."""

    def __init__(self, resolver: IgluResolver, *, max_json_depth: int = 50) -> None:
        self._resolver = resolver
        self._max_depth = max_json_depth
        self._compiling = Lock()

    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        """Check one self-describing datum. Raises :class:`RegistryOutage` only."""
        cached = self._resolver.cached(item.schema)
        if cached is not None:
            return self.judge(cached, item)
        try:
            found = self._resolver.find(item.schema)
        except RegistryOutage:
            raise
        except SchemaResolutionError as error:
            return unresolved(error.history)
        return self.judge(found, item)

    def judge(self, found: Found, item: SelfDescribing) -> ValidSchema | Invalid:
        """Check a datum against its schema."""
        rules = found.compiled or self._compile(found)
        if isinstance(rules, _Broken):
            return _validation_error("schemaIssues", rules.issues, found)
        reports = check_data(rules, item.data, self._max_depth)
        if reports:
            return _validation_error("dataReports", [report.as_json() for report in reports], found)
        return _VALID if found.superseded_by is None else ValidSchema(found.superseded_by)

    def _compile(self, found: Found) -> CompiledSchema | _Broken:
        with self._compiling:
            if found.compiled is None:
                try:
                    found.compiled = compile_schema(found.effective, self._max_depth)
                except SchemaIssues as broken:
                    found.compiled = _Broken([{"path": each.path, "message": each.message} for each in broken.issues])
            compiled: CompiledSchema | _Broken = found.compiled
        return compiled


def check_data(rules: CompiledSchema, data: Any, max_depth: int) -> list[Report]:
    """Reports of every violation, or of too much depth; empty for valid data."""
    if depth_exceeds(data, max_depth):
        return [_DEPTH_REPORT]
    try:
        if rules.is_valid(data):
            return []
    except ValueError:  # what _plain replaces
        pass
    data = _plain(data)
    return [] if rules.is_valid(data) else rules.reports(data)


def _plain(value: Any) -> Any:
    """The same data without what the parser may leave and the native validator cannot take: numbers that remember
    their spelling, numbers too big for a float, which arrive as infinity, and lone surrogates."""
    if isinstance(value, str):
        # "replace" makes one character of each surrogate, so that lengths stay
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else Decimal("1e400") if value > 0 else Decimal("-1e400")
    if isinstance(value, dict):
        return {_plain(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _validation_error(kind: str, entries: list[Any], found: Found) -> Invalid:
    error: dict[str, Any] = {"error": "ValidationError", kind: entries}
    if found.superseded_by is not None:
        error["supersededBy"] = found.superseded_by
    return Invalid(error)
