"""Events leaving ClickHouse: whole partitions where all of one is past, rows by lightweight delete otherwise.

A lightweight delete hides rows at once; ``settle`` then rewrites the parts that still hold them (``APPLY DELETED
MASK``) and waits for it. Replaced parts stay on disk, readable by nobody, for ``old_parts_lifetime`` (8 minutes).
Mutations of one table run one after the other, so keys go in large groups. On a cluster statements run on the tables
that hold the rows, on every shard.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.modelling.forgetting import delete_events, expire, freeze
from snowgauge.modelling.tables import OF_UNITS
from snowgauge.store.base import EventKind
from snowgauge.store.clickhouse.columns import ATOMIC_COLUMNS
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.derived.store import ClickHouseModelStore
from snowgauge.store.clickhouse.layout import Layout, TableName
from snowgauge.store.lifetime import ID_COLUMNS, MENTION_COLUMNS, Apps, Expired, Key, Row, Search
from snowgauge.store.rebuilt import FAILED_COLUMNS, rebuilt_event, rebuilt_failed

_TABLES: dict[EventKind, TableName] = {"good": "events", "failed": "failed_events", "incomplete": "incomplete_events"}
_TEXTS = tuple(column.name for column in ATOMIC_COLUMNS if "String" in column.type)
_KEYS_TOGETHER = 5000
_RECORD_BYTES = 4_000_000
_LONG: dict[str, Any] = {"max_execution_time": 0, "readonly": 0}
_WAIT: dict[str, Any] = {**_LONG, "mutations_sync": 2, "lightweight_deletes_sync": 2}


class ClickHouseLifetime:
    def __init__(self, connection: Connection, layout: Layout) -> None:
        self._connection = connection
        self._layout = layout

    def scan(
        self, kind: EventKind, *, since: int | None = None, until: int | None = None, search: Search | None = None
    ) -> Iterator[Row]:
        time, key = _time(kind), _key(kind)
        conditions, parameters = _between(time, since, until)
        if search is not None and kind != "failed":
            conditions.append(_mentions(search))
            parameters["values"] = [value.lower() for value in search.values]
        where = " AND ".join(conditions) or "1"
        order = f" ORDER BY {time}, {key}" if search is None else ""
        # the newest version of a failed event counts (its status can change)
        final = " FINAL" if kind == "failed" else ""
        sql = f"SELECT {_select(kind)} FROM {self._layout.name(_TABLES[kind])}{final} WHERE {where}{order}"
        make = rebuilt_failed if kind == "failed" else rebuilt_event
        settings = {"max_execution_time": 0, "output_format_json_quote_64bit_integers": 0}
        left = b""
        for piece in self._connection.stream(sql, "JSONCompactEachRow", settings, parameters):
            lines = (left + piece).split(b"\n")
            left = lines.pop()
            for line in lines:
                if line:
                    yield make(msgspec.json.decode(line))
        if left.strip():
            yield make(msgspec.json.decode(left))

    def delete(self, kind: EventKind, keys: Sequence[Key]) -> None:
        if kind == "good":
            delete_events(self._modelled(), keys, lambda: self._delete_rows(kind, keys))
        else:
            self._delete_rows(kind, keys)

    def _modelled(self) -> ClickHouseModelStore:
        return ClickHouseModelStore(self._connection, self._layout)

    def _delete_rows(self, kind: EventKind, keys: Sequence[Key]) -> None:
        time, key = _time(kind), _key(kind)
        for start in range(0, len(keys), _KEYS_TOGETHER):
            some = keys[start : start + _KEYS_TOGETHER]
            pairs = ", ".join(f"(toUUID({_text(id_)}), {at:d})" for id_, at in some)
            low, high = min(at for _, at in some), max(at for _, at in some)
            self._delete(
                kind,
                f"{time} >= {_instant(low)} AND {time} <= {_instant(high)} AND "
                f"({key}, toUnixTimestamp64Milli({time})) IN ({pairs})",
            )

    def set_records(self, records: Mapping[str, bytes | None]) -> None:
        ids: list[str] = []
        texts: list[str] = []
        size = 0
        for id_, record in records.items():
            text = "" if record is None else base64.b64encode(record).decode()
            ids.append(_text(id_))
            texts.append(_text(text))
            size += len(text)
            if size > _RECORD_BYTES or len(ids) >= _KEYS_TOGETHER:
                self._update_records(ids, texts)
                ids, texts, size = [], [], 0
        if ids:
            self._update_records(ids, texts)

    def _update_records(self, ids: list[str], texts: list[str]) -> None:
        uuids = ", ".join(f"toUUID({one})" for one in ids)
        self._alter(
            "failed",
            f"UPDATE record = transform(toString(id), [{', '.join(ids)}], [{', '.join(texts)}], record) "
            f"WHERE id IN ({uuids})",
        )

    def expired(self, kind: EventKind, before: int, apps: Apps) -> Expired:
        whole = self._whole_partitions(kind, before, apps)
        rows = self._connection.rows(
            f"SELECT count() FROM {self._layout.name(_TABLES[kind])} WHERE {self._past(kind, before, apps)}",
            None,
            {"max_execution_time": 0},
        )
        return Expired(int(rows[0][0]), whole)

    def expire(self, kind: EventKind, before: int, apps: Apps) -> Expired:
        if kind == "good":
            freeze(self._modelled(), before, (apps.names, apps.mode == "only"))
        found = self.expired(kind, before, apps)
        for partition in found.partitions:
            self._connection.command(
                f"ALTER TABLE {self._layout.stored(_TABLES[kind])}{self._layout.on_cluster()} "
                f"DROP PARTITION ID {_text(partition)}",
                _WAIT,
            )
        past = self._past(kind, before, apps)
        left = self._connection.rows(f"SELECT count() FROM {self._layout.name(_TABLES[kind])} WHERE {past}")[0][0]
        if left:
            self._delete(kind, past)
        return found

    def expired_records(self, before: int, apps: Apps) -> int:
        rows = self._connection.rows(
            f"SELECT count() FROM {self._layout.name('failed_events')} FINAL "
            f"WHERE record != '' AND {self._past('failed', before, apps)}"
        )
        return int(rows[0][0])

    def expire_records(self, before: int, apps: Apps) -> int:
        found = self.expired_records(before, apps)
        if found:
            self._alter("failed", f"UPDATE record = '' WHERE record != '' AND {self._past('failed', before, apps)}")
        return found

    def expired_modelled(self, before: int, apps: Apps) -> int:
        return self._modelled().count_before(OF_UNITS, before, (apps.names, apps.mode == "only"))

    def expire_modelled(self, before: int, apps: Apps) -> int:
        return expire(self._modelled(), before, (apps.names, apps.mode == "only"))

    def settle(self) -> str:
        self._modelled().settle()
        for kind, table in _TABLES.items():
            masked = self._connection.rows(
                "SELECT count() FROM system.parts WHERE active AND has_lightweight_delete AND database = {d:String} "
                "AND table = {t:String}",
                {"d": self._layout.database, "t": self._layout.stored(table).split("`")[3]},
            )
            if masked[0][0] or self._layout.cluster:
                self._alter(kind, "APPLY DELETED MASK")
        return (
            "rewritten parts hold none of the deleted rows; the parts they replaced are unreadable and leave the disk "
            "within 8 minutes (old_parts_lifetime)"
        )

    def _whole_partitions(self, kind: EventKind, before: int, apps: Apps) -> list[str]:
        """Partitions of which every row is past and of one of these applications."""
        where = "1" if apps.mode == "but" and not apps.names else _apps(apps)
        time = _time(kind)
        # no ``_partition_id`` on a Distributed table of older servers, so the tables with the rows are asked
        rows = self._connection.rows(
            f"SELECT _partition_id, max({time}) < {_instant(before)} AND min({where}) FROM {self._stored(kind)} "
            f"GROUP BY 1 ORDER BY 1",
            None,
            {"max_execution_time": 0},
        )
        return [str(partition) for partition, past in rows if past]

    def _stored(self, kind: EventKind) -> str:
        stored = self._layout.stored(_TABLES[kind])
        if not self._layout.cluster:
            return stored
        return f"cluster({_text(self._layout.cluster)}, {stored})"

    def _past(self, kind: EventKind, before: int, apps: Apps) -> str:
        return f"{_time(kind)} < {_instant(before)} AND {_apps(apps)}"

    def _delete(self, kind: EventKind, where: str) -> None:
        table = self._layout.stored(_TABLES[kind])
        self._connection.command(f"DELETE FROM {table}{self._layout.on_cluster()} WHERE {where}", _WAIT)

    def _alter(self, kind: EventKind, what: str) -> None:
        table = self._layout.stored(_TABLES[kind])
        self._connection.command(f"ALTER TABLE {table}{self._layout.on_cluster()} {what}", _WAIT)


def _time(kind: EventKind) -> str:
    return "tstamp" if kind == "failed" else "collector_tstamp"


def _key(kind: EventKind) -> str:
    return "id" if kind == "failed" else "event_id"


def _instant(ms: int) -> str:
    return f"fromUnixTimestamp64Milli(toInt64({ms:d}), 'UTC')"


def _apps(apps: Apps) -> str:
    if not apps.names:
        return "0" if apps.mode == "only" else "1"
    return f"app_id {'IN' if apps.mode == 'only' else 'NOT IN'} ({', '.join(_text(name) for name in apps.names)})"


def _between(time: str, since: int | None, until: int | None) -> tuple[list[str], dict[str, Any]]:
    conditions = []
    if since is not None:
        conditions.append(f"{time} >= {_instant(since)}")
    if until is not None:
        conditions.append(f"{time} < {_instant(until)}")
    return conditions, {}


def _mentions(search: Search) -> str:
    """Any of the values in an identifier column or inside of text. JSON may write a character as ``\\u....``."""
    exact = " OR ".join(f"has({{values:Array(String)}}, lowerUTF8(`{column}`))" for column in ID_COLUMNS)
    columns = _TEXTS if search.everywhere else MENTION_COLUMNS
    inside = " OR ".join(
        f"multiSearchAny(lowerUTF8(`{column}`), {{values:Array(String)}}) OR position(`{column}`, '\\\\u') > 0"
        if column in MENTION_COLUMNS[:3]
        else f"multiSearchAny(lowerUTF8(`{column}`), {{values:Array(String)}})"
        for column in columns
    )
    return f"({exact} OR {inside})"


def _select(kind: EventKind) -> str:
    if kind == "failed":
        times = {"failed_at", "collector_tstamp"}
        return ", ".join(
            f"toUnixTimestamp64Milli(`{name}`)" if name in times else f"`{name}`" for name in FAILED_COLUMNS
        )
    parts = []
    for field in ATOMIC_FIELDS:
        if field.kind == "timestamp":
            parts.append(f"toUnixTimestamp64Milli(`{field.name}`)")
        elif field.kind == "decimal" and field.name != "se_value":
            parts.append(f"toDecimalString(`{field.name}`, 2)")
        else:
            parts.append(f"`{field.name}`")
    return ", ".join(parts)


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
