"""SQL query: rows about the event's user, product or order from a database of the user's own."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.caching_evaluator import CachingEvaluator
from snowgauge.enrich.enrichments.event_inputs import ColumnInput, JsonInput, read_input
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.enrich.enrichments.sql_databases import Database, MySql, PostgreSql, SqlError, Target, Value
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

_MOST_PLACEHOLDERS = 64
_INTEGER = re.compile(r"[+-]?\d+")
_DOUBLE = re.compile(r"\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?)\s*")
_DRIVERS: dict[str, Callable[[Target, str], Database]] = {"postgresql": PostgreSql, "mysql": MySql}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z\d])", lambda found: found[1].upper(), name)


_PROPERTY_NAMES: dict[str, Callable[[str], str]] = {
    "AS_IS": str,
    "CAMEL_CASE": _camel,
    "PASCAL_CASE": lambda name: _camel(name)[:1].upper() + _camel(name)[1:],
    "SNAKE_CASE": lambda name: re.sub(r"[A-Z\d]", lambda found: "_" + found[0].lower(), name),
    "LOWER_CASE": str.lower,
    "UPPER_CASE": str.upper,
}
_EXPECTED_ROWS = {
    # at least, at most, what is said otherwise
    "EXACTLY_ONE": (1, 1, "SQL Query Enrichment: exactly one row was expected"),
    "AT_MOST_ONE": (0, 1, "SQL Query Enrichment: at most one row was expected"),
    "AT_LEAST_ZERO": (0, math.inf, ""),
    "AT_LEAST_ONE": (1, math.inf, "SQL Query Enrichment: at least one row was expected. 0 given instead"),
}


class SqlQuery(Enrichment):
    """Runs one SQL statement about each event, in PostgreSQL or MySQL, and attaches its rows as entities.

    ``inputs`` fill the ``?`` of the statement: a column, or a JSONPath (Gatling's dialect) into the first entity or
    event whose schema matches. Text inside JSON that looks like a number or a boolean becomes one; null, arrays and
    objects count as missing. Several inputs for one placeholder are fallbacks: the last that has a value counts. When
    a placeholder is left without a value the statement is not run and nothing is attached.

    A row becomes an object whose keys are the column labels in the case that ``propertyNames`` says. ``EVERY_ROW``
    attaches an entity per row; ``ALL_ROWS`` one with the only row (``EXACTLY_ONE``, ``AT_MOST_ONE``) or with the array
    of them. Rows are remembered by the values of the placeholders. With ``ignoreOnError`` failures attach nothing.

    Sets no column. Fails with two messages: ``Error while executing the sql lookup`` and the reason (the number of
    rows, or the database's own words), or ``Error while building the map of placeholders`` and the input's fault. A
    statement may take five seconds. A database that cannot be reached three times in a row is left alone for ten
    seconds. Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/sql_query_enrichment_config/jsonschema/1-0-*"
    identifier = "sql-query"
    runs_at = PLACES["sql_query_enrichment_config"]
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/sql_query_enrichment_config/jsonschema/1-0-1",
        "data": {
            "name": "sql_query_enrichment_config",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "parameters": {
                "inputs": [
                    {"placeholder": 1, "pojo": {"field": "user_id"}},
                    {
                        "placeholder": 1,
                        "json": {
                            "field": "contexts",
                            "schemaCriterion": "iglu:com.acme/account/jsonschema/1-*-*",
                            "jsonPath": "$.user_id",
                        },
                    },
                ],
                "database": {
                    "postgresql": {
                        "host": "cluster01.acme.com",
                        "port": 5432,
                        "sslMode": True,
                        "username": "snowgauge_reader",
                        "password": "${?ACCOUNTS_PASSWORD}",
                        "database": "accounts",
                    }
                },
                "query": {"sql": "SELECT plan_name, seats FROM accounts WHERE user_id = ? LIMIT 1"},
                "output": {
                    "expectedRows": "AT_MOST_ONE",
                    "json": {
                        "schema": "iglu:com.acme/plan/jsonschema/1-0-0",
                        "describes": "ALL_ROWS",
                        "propertyNames": "CAMEL_CASE",
                    },
                },
                "cache": {"size": 3000, "ttl": 60},
                "ignoreOnError": False,
            },
        },
    }

    def __init__(self, read: Parameters) -> None:
        self._inputs: list[tuple[int, ColumnInput | JsonInput]] = [
            (item.integer("placeholder", 1, _MOST_PLACEHOLDERS), read_input(item)) for item in read.items("inputs")
        ]
        output = read["output"]
        least, most, self._unexpected = _EXPECTED_ROWS[output.choice("expectedRows", _EXPECTED_ROWS)]
        self._allowed = (least, most)
        shape = output["json"]
        self._schema = SchemaKey.parse(shape.text("schema"))
        self._every_row = shape.choice("describes", ("ALL_ROWS", "EVERY_ROW")) == "EVERY_ROW"
        self._rename = _PROPERTY_NAMES[shape.choice("propertyNames", _PROPERTY_NAMES)]
        cache = read["cache"]
        self._cache: CachingEvaluator[list[dict[str, Any]]] = CachingEvaluator(
            cache.integer("size", 0), cache.integer("ttl", 0, 86_400), (OSError, SqlError)
        )
        self._ignore = read.flag("ignoreOnError", default=False)
        self._database = _database(read["database"], read["query"].text("sql"))

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> SqlQuery:  # noqa: ARG003
        return cls(Parameters(parameters))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        try:
            values = self._values(event, source)
            if values is None:
                return ()
            return self._entities(self._cache.get(repr(values), lambda: self._lookup(values)))
        except _InputError as error:
            failure, reason = "Error while building the map of placeholders", str(error)
        except (OSError, SqlError) as error:
            failure, reason = "Error while executing the sql lookup", str(error)
        if self._ignore:
            return ()
        raise ExceptionGroup("sql query", [EnrichmentFailure(failure), EnrichmentFailure(reason)])

    def _values(self, event: EnrichedEvent, source: EnrichmentSource) -> tuple[Value, ...] | None:
        """Values of the placeholders in their order; ``None`` where they are not exactly those of the statement."""
        found: dict[int, Value] = {}
        errors = []
        for placeholder, one in self._inputs:
            if isinstance(one, ColumnInput):
                if not one.known:
                    errors.append("SQL Query enrichment: SQL Query Enrichment: Wrong POJO input field was specified")
                    continue
                value = one.find(event, source)
                if one.decimal and value is not None:
                    value = float(value)
            else:
                if one.path is None:
                    errors.append(one.error)
                    continue
                value = _database_value(one.find(event, source))
            if value is not None:
                found[placeholder] = value
        if errors:
            raise _InputError(f"NonEmptyList({', '.join(errors)})")
        count = self._database.placeholders
        if len(found) != count or any(number not in found for number in range(1, count + 1)):
            return None
        return tuple(found[number] for number in range(1, count + 1))

    def _lookup(self, values: Sequence[Value]) -> list[dict[str, Any]]:
        rows = self._database.rows(values)
        least, most = self._allowed
        if not least <= len(rows) <= most:
            raise SqlError(self._unexpected)
        return [{self._rename(name): value for name, value in row.items()} for row in rows]

    def _entities(self, rows: list[dict[str, Any]]) -> list[SelfDescribing]:
        if self._every_row:
            return [SelfDescribing(self._schema, row) for row in rows]
        if self._allowed[1] == 1:
            return [SelfDescribing(self._schema, rows[0])] if rows else []
        return [SelfDescribing(self._schema, rows)]

    def close(self) -> None:
        self._database.close()


class _InputError(Exception):
    """An input that cannot work, whatever the event."""


def _database(read: Parameters, sql: str) -> Database:
    kinds = [kind for kind in _DRIVERS if kind in read]
    if len(kinds) != 1 or len(read.values) != 1:
        raise ValueError(
            f"{read.path}: expected either 'postgresql' or 'mysql', found {', '.join(read.values) or 'nothing'}"
        )
    where = read[kinds[0]]
    return _DRIVERS[kinds[0]](
        Target(
            host=where.text("host"),
            port=where.integer("port", 1, 65_535),
            tls=where.flag("sslMode"),
            username=where.text("username"),
            password=where.text("password", empty=True),
            database=where.text("database"),
        ),
        sql,
    )


def _database_value(value: Any) -> Value | None:
    """A value found in JSON as the statement gets it; text is read as a number or a boolean where it is one."""
    if not isinstance(value, str):
        return value if isinstance(value, bool | int | float) else None
    if _INTEGER.fullmatch(value) and -(2**63) <= (number := int(value)) < 2**63:
        return number
    if _DOUBLE.fullmatch(value):
        return float(value.strip().rstrip("dDfF"))
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value
