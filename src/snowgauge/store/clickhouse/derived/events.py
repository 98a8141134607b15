"""Finding and reading the events that the modeller asks for.

Texts that repeat come as ``LowCardinality``: they travel once, and are one object in Python, so that what was made of
them is found again without looking at them.
"""

from __future__ import annotations

from collections import Counter
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
_KEY = '"sessionId":"'
_OWN_SESSION = (
    f"if(countSubstrings(`contexts`, '\"sessionId\"') = 1 AND position(`contexts`, '{_KEY}') > 0, "
    f"extract(substring(`contexts`, position(`contexts`, '{_KEY}') + {len(_KEY)}, 200), "
    r"""'^([^"\\\\]*)"'), '')"""
)
"""The only text of this key in an event's entities, which has no escape in it; empty: that cannot be told so."""
_SESSION = (
    f"toLowCardinality(multiIf({_HAS_SESSION} AND {_OWN_SESSION} != '', {_OWN_SESSION}, `domain_sessionid` != '', "
    "`domain_sessionid`, toString(`event_id`)))"
)
"""What events are counted by that may be too many for one session."""
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
        # the entity's session is read here where its id can be nothing else; its text is one of its own in each event
        own = f"if({_HAS_SESSION}, {_OWN_SESSION}, '')"
        texts = f"NOT {_SERVER} AND NOT told AND (`domain_sessionid` IN ('', '{NIL}') OR {_HAS_SESSION})"
        none = f"({_NO_SESSION} AND NOT told)"
        screens = f"{none} AND `event_name` = 'screen_view'"
        rows = self._connection.rows(
            "SELECT intDiv(toUnixTimestamp(`load_tstamp`), 60) AS minute, "
            "toInt64(bitAnd(sum(cityHash64(`event_id`)), 9223372036854775807)) AS mark, "
            f"if({_SERVER}, '{SERVER}', '') AS server, if(told, own, `domain_sessionid`) AS session, "
            f"if({texts}, `contexts`, '') AS entities, "
            f"if({none}, toString(`event_id`), '') AS id, if({none}, `event_name`, '') AS name, "
            f"if({screens}, `unstruct_event`, '') AS data, "
            "min(toUnixTimestamp64Milli(`collector_tstamp`)), max(toUnixTimestamp64Milli(`collector_tstamp`)), count() "
            f"FROM (SELECT *, `{ENTITY_SCHEMAS.name}`, {own} AS own, "
            f"own NOT IN ('', '{NIL}') AND NOT {_SERVER} AS told "
            f"FROM {self._table} WHERE {where}) GROUP BY minute, server, session, entities, id, name, data",
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

    def days_before(self, before: int, most: int) -> list[tuple[int, int]]:
        """See ``ModelStore.days_before``."""
        since = before - before % DAY_MS - most * DAY_MS
        rows = self._connection.rows(
            f"SELECT toUInt16(toDate(`collector_tstamp`)) AS day, count() FROM {self._table} WHERE `collector_tstamp` "
            f">= {instant(since)} AND `collector_tstamp` < {instant(before)} GROUP BY day ORDER BY day DESC",
            None,
            _SETTINGS,
        )
        return [(int(day), int(count)) for day, count in rows]

    def found_of(self, units: Sequence[Unit], where: str) -> list[Found]:
        """The same of these units."""
        return [one for condition in _of(units) for one in self.found(f"{where} AND {condition}")]

    def read(self, units: Sequence[Unit], since: int, until: int) -> Iterator[Columns]:
        """See ``ModelStore.events``."""
        within = f"`collector_tstamp` >= {instant(since)} AND `collector_tstamp` <= {instant(until)}"
        for condition in _of([unit for unit in units if unit.kind != "session"]):
            yield from self._select(f"{within} AND {condition}")
        sessions = [unit for unit in units if unit.kind == "session"]
        for condition in _of(sessions):
            yield from self._of_sessions(f"{within} AND {condition}")

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

    def _of_sessions(self, where: str) -> Iterator[Columns]:
        """Events of sessions; of one with millions of them no more than are looked at, which are the earliest."""
        limited = f"LIMIT {MOST_EVENTS + 1} BY session"
        for columns in self._select(f"{where} {limited}", session=True):
            counts = Counter(columns["session"])
            large = counts and max(counts.values()) > MOST_EVENTS
            yield from (
                self._select(f"{where} ORDER BY `collector_tstamp`, `event_id` {limited}", session=True)
                if large
                else (columns,)
            )

    def _select(self, rest: str, *, session: bool = False) -> Iterator[Columns]:
        more = f", {_SESSION} AS session" if session else ""
        columns = self._connection.columns(f"SELECT {_SELECTED}{more} FROM {self._table} WHERE {rest}", _SETTINGS)
        if columns:
            yield dict(zip((*COLUMNS, "session") if session else COLUMNS, columns.values(), strict=True))


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


def _of(units: Sequence[Unit]) -> Iterator[str]:
    """Conditions that the events of these units meet, each unit's one or several of them; others may meet them too."""
    ids: dict[str, list[str]] = {"session": [], "view": [], "event": []}
    for unit in units:
        ids[unit.kind].append(unit.id)
    if ids["session"]:
        sessions = listed(ids["session"])
        own = _IDS.format(column="`contexts`", key="sessionId")
        unsure = f"{_OWN_SESSION} = '' AND arrayExists(x -> x IN {sessions}, {own})"
        told = f"{_HAS_SESSION} AND ({_OWN_SESSION} IN {sessions} OR {unsure})"
        yield f"(`domain_sessionid` IN {sessions} OR ({told}))"
    if ids["view"]:
        views = listed(ids["view"])
        own = _IDS.format(column="concat(`contexts`, `unstruct_event`)", key="id")
        yield f"{_NO_SESSION} AND arrayExists(x -> x IN {views}, {own})"
    events = [*ids["event"], *(id_ for id_ in ids["view"] if _is_uuid(id_))]
    if events:
        uuids = ", ".join(f"toUUID({text(id_)})" for id_ in events)
        yield f"`event_id` IN ({uuids})"


def instant(ms: int) -> str:
    return f"fromUnixTimestamp64Milli(toInt64({ms:d}), 'UTC')"


def listed(values: Sequence[str]) -> str:
    return f"({', '.join(text(value) for value in values)})"


def _is_uuid(value: str) -> bool:
    parts = value.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and set(value) <= set("0123456789abcdef-")


_SELECTED = ", ".join(_selected(name) for name in COLUMNS)
