"""Finding and reading the events that the modeller asks for.

Texts that repeat come as ``LowCardinality``: they travel once, and are one object in Python, so that what was made of
them is found again without looking at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snowgauge.modelling.entities import CLIENT_SESSION, NIL
from snowgauge.modelling.events import AMOUNTS, COLUMNS, DAY_MS, EARLY_MS, LATE_MS, SERVER, TIMES, Columns, Unit
from snowgauge.modelling.making.make import MOST_EVENTS
from snowgauge.modelling.store import Found, Group
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.layout import ENTITY_SCHEMAS, Layout, text

_SETTINGS = {
    "max_execution_time": 600,
    "max_query_size": 1_000_000_000,
    "max_ast_elements": 10_000_000,
    "max_expanded_ast_elements": 10_000_000,
    "allow_suspicious_low_cardinality_types": 1,
}
_HAS_SESSION = f"arrayExists(x -> startsWith(x, 'iglu:{CLIENT_SESSION}/'), `{ENTITY_SCHEMAS.name}`)"
_SERVER = f"`platform` = '{SERVER}'"
_NO_SESSION = f"(`domain_sessionid` IN ('', '{NIL}') OR {_SERVER})"
_IDS = r"""extractAll({column}, '"{key}"\\s*:\\s*"([^"]*)"')"""
_VERSION = r"""extract(`contexts`, '/application/jsonschema/[^}]*"version"\\s*:\\s*"([^"]*)"')"""
_QUARTER_MS = 900_000
_REPEATED = frozenset(
    [
        "contexts", "derived_contexts", "useragent", "page_url", "page_title", "page_urlpath", "page_urlquery",
        "page_urlfragment", "page_referrer", "refr_urlpath", "domain_userid", "domain_sessionid", "network_userid",
        "user_id", "user_ipaddress",
    ]
)  # fmt: skip


class EventReader:
    """The events of one deployment."""

    def __init__(self, connection: Connection, layout: Layout) -> None:
        self._connection = connection
        self._table = layout.name("events")

    def found(self, where: str) -> list[Found]:
        """What meets a condition, by unit and minute of storing."""
        texts = f"NOT {_SERVER} AND (`domain_sessionid` IN ('', '{NIL}') OR {_HAS_SESSION})"
        screens = f"{_NO_SESSION} AND `event_name` = 'screen_view'"
        rows = self._connection.rows(
            "SELECT intDiv(toUnixTimestamp(`load_tstamp`), 60) AS minute, "
            "toInt64(bitAnd(sum(cityHash64(`event_id`)), 9223372036854775807)) AS mark, "
            f"if({_SERVER}, '{SERVER}', '') AS server, `domain_sessionid` AS session, "
            f"if({texts}, `contexts`, '') AS entities, "
            f"if({_NO_SESSION}, toString(`event_id`), '') AS id, if({_NO_SESSION}, `event_name`, '') AS name, "
            f"if({screens}, `unstruct_event`, '') AS data, "
            "min(toUnixTimestamp64Milli(`collector_tstamp`)), max(toUnixTimestamp64Milli(`collector_tstamp`)) "
            f"FROM {self._table} WHERE {where} GROUP BY minute, server, session, entities, id, name, data",
            None,
            _SETTINGS,
        )
        return [Found(*row) for row in rows]

    def last_collected(self, before: int) -> int | None:
        """See ``ModelStore.last_collected``; looks at the days just before first, which is cheap."""
        for days in (2, 40, None):
            since = "" if days is None else f" AND `collector_tstamp` >= {instant(before - days * DAY_MS)}"
            rows = self._connection.rows(
                f"SELECT count(), toUnixTimestamp64Milli(max(`collector_tstamp`)) FROM {self._table} "
                f"WHERE `collector_tstamp` < {instant(before)}{since}",
                None,
                _SETTINGS,
            )
            if rows[0][0]:
                return int(rows[0][1])
        return None

    def read(self, units: Sequence[Unit], since: int, until: int) -> Iterator[Columns]:
        """See ``ModelStore.events``."""
        within = f"`collector_tstamp` >= {instant(since)} AND `collector_tstamp` <= {instant(until)}"
        ids: dict[str, list[str]] = {"session": [], "view": [], "event": []}
        for unit in units:
            ids[unit.kind].append(unit.id)
        if ids["session"]:
            sessions = listed(ids["session"])
            yield from self._of_sessions(f"{within} AND `domain_sessionid` IN {sessions}", "`domain_sessionid`")
            own = _IDS.format(column="`contexts`", key="sessionId")
            yield from self._of_sessions(
                f"{within} AND {_HAS_SESSION} AND arrayExists(x -> x IN {sessions}, {own})", f"{own}[1]"
            )
        if ids["view"]:
            views = listed(ids["view"])
            own = _IDS.format(column="concat(`contexts`, `unstruct_event`)", key="id")
            yield from self._select(f"{within} AND {_NO_SESSION} AND arrayExists(x -> x IN {views}, {own})")
        events = [*ids["event"], *(id_ for id_ in ids["view"] if _is_uuid(id_))]
        if events:
            uuids = ", ".join(f"toUUID({text(id_)})" for id_ in events)
            yield from self._select(f"{within} AND `event_id` IN ({uuids})")

    def groups(self, slots: Sequence[int]) -> list[Group]:
        """See ``ModelStore.groups``."""
        if not slots:
            return []
        starts = ", ".join(str(slot) for slot in slots)
        at = "toUnixTimestamp64Milli(`collector_tstamp`)"
        behind = f"{at} - toUnixTimestamp64Milli(`derived_tstamp`)"
        keys = (
            "`app_id`, slot, `platform`, `event_name`, `event_vendor`, `event_version`, `name_tracker`, `v_tracker`, "
            "version, `useragent`"
        )
        rows = self._connection.rows(
            f"SELECT {keys}, any(`derived_contexts`), uniqExact(`event_id`), count(), "
            f"uniqExactIf(`event_id`, {behind} > {LATE_MS} OR {behind} < -{EARLY_MS}) "
            f"FROM (SELECT *, {at} - {at} % {_QUARTER_MS} AS slot, {_VERSION} AS version FROM {self._table}) "
            f"WHERE `collector_tstamp` >= {instant(min(slots))} "
            f"AND `collector_tstamp` < {instant(max(slots) + _QUARTER_MS)} AND slot IN ({starts}) "
            f"GROUP BY {keys}, cityHash64(`derived_contexts`)",
            None,
            _SETTINGS,
        )
        return [Group(*row) for row in rows]

    def _of_sessions(self, where: str, session: str) -> Iterator[Columns]:
        """Events of sessions; of one with millions of them no more than are looked at."""
        large = self._connection.rows(
            f"SELECT 1 FROM {self._table} WHERE {where} GROUP BY {session} HAVING count() > {MOST_EVENTS} LIMIT 1",
            None,
            _SETTINGS,
        )
        cut = f" ORDER BY `collector_tstamp`, `event_id` LIMIT {MOST_EVENTS + 1} BY {session}"
        return self._select(where + (cut if large else ""))

    def _select(self, rest: str) -> Iterator[Columns]:
        columns = self._connection.columns(f"SELECT {_SELECTED} FROM {self._table} WHERE {rest}", _SETTINGS)
        if columns:
            yield dict(zip(COLUMNS, columns.values(), strict=True))


def _selected(name: str) -> str:
    # an alias that is a column's name would hide the column in WHERE
    if name in TIMES:
        return f"toUnixTimestamp64Milli(`{name}`) AS `{name}_ms`"
    if name == "event_id":
        return "toString(`event_id`) AS `event_id_text`"
    if name in AMOUNTS and name != "se_value":
        return f"toString(`{name}`) AS `{name}_text`"
    if name in _REPEATED:
        return f"toLowCardinality(`{name}`) AS `{name}_text`"
    return f"`{name}`"


def instant(ms: int) -> str:
    return f"fromUnixTimestamp64Milli(toInt64({ms:d}), 'UTC')"


def listed(values: Sequence[str]) -> str:
    return f"({', '.join(text(value) for value in values)})"


def _is_uuid(value: str) -> bool:
    parts = value.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and set(value) <= set("0123456789abcdef-")


_SELECTED = ", ".join(_selected(name) for name in COLUMNS)
