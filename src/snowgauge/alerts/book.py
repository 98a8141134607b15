"""Alerts, channels, states and messages, kept in the store: what one machine writes, every machine sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import orjson

from snowgauge.alerts.channels import Channel
from snowgauge.alerts.life import State
from snowgauge.alerts.message import Delivery
from snowgauge.alerts.rules import DEFAULTS, Rule
from snowgauge.alerts.sealing import Seal
from snowgauge.errors import ActionRefused
from snowgauge.modelling.definition import Table
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables.alerting import CHANNELS, MESSAGES, RULES, STATES

MOST_RULES = 500
MOST_CHANNELS = 100
EVALUATED = "*"
"""The key under which the states of an alert say up to when it was evaluated."""
LOST = "https://sealed.invalid/"
"""Stands for an address that cannot be opened here."""
_DEFAULTS = {rule.id: rule for rule in DEFAULTS}


class AlertBook:
    """Raises ``StoreUnavailable``."""

    def __init__(self, store: ModelStore, seal: Seal) -> None:
        self._store = store
        self._seal = seal

    def now(self) -> int:
        return self._store.now()

    # alerts

    def rules(self) -> list[Rule]:
        """All alerts: those from the start, as they are now, and people's own."""
        found = dict(_DEFAULTS)
        for row in self._store.all_rows(RULES):
            values = orjson.loads(row["body"])
            found[row["id"]] = Rule.model_validate(values)
        return sorted(found.values(), key=lambda rule: (rule.id not in _DEFAULTS, rule.name, rule.id))

    def rule(self, rule_id: str) -> Rule:
        """Raises ``ActionRefused`` for an id that is none."""
        for rule in self.rules():
            if rule.id == rule_id:
                return rule
        raise ActionRefused(f"there is no alert {rule_id!r}", status=404)

    def put_rule(self, rule: Rule, by: str) -> None:
        """Raises ``ActionRefused`` for channels that are none, or too many alerts."""
        known = {channel.id for channel in self.channels()}
        if missing := [one for one in rule.channels if one not in known]:
            raise ActionRefused(f"channels: there is no channel {missing[0]!r}", status=422)
        rules = {one.id for one in self.rules()}
        if rule.id not in rules and len(rules) >= MOST_RULES:
            raise ActionRefused(f"there are {MOST_RULES} alerts, which is the most: remove one first", status=409)
        body = rule.model_dump_json()
        self._put(RULES, {"id": rule.id, "body": body, "changed_by": by})

    def remove_rule(self, rule_id: str) -> None:
        """One from the start becomes again what it was; those are switched off, not removed."""
        self.rule(rule_id)
        rows = [row for row in self._store.all_rows(RULES) if row["id"] == rule_id]
        states = [row for row in self._store.all_rows(STATES) if row["rule_id"] == rule_id]
        self._remove(Removed(RULES, rows), Removed(STATES, states))

    # channels

    def channels(self) -> list[Channel]:
        """Those whose secrets cannot be opened here are switched off, and say why."""
        return sorted(
            (self._channel(row) for row in self._store.all_rows(CHANNELS)), key=lambda one: (one.name, one.id)
        )

    def channel(self, channel_id: str) -> Channel:
        """Raises ``ActionRefused`` for an id that is none."""
        for row in self._store.all_rows(CHANNELS):
            if row["id"] == channel_id:
                return self._channel(row)
        raise ActionRefused(f"there is no channel {channel_id!r}", status=404)

    def put_channel(self, channel: Channel, by: str) -> None:
        rows = {row["id"] for row in self._store.all_rows(CHANNELS)}
        if channel.id not in rows and len(rows) >= MOST_CHANNELS:
            raise ActionRefused(f"there are {MOST_CHANNELS} channels, which is the most: remove one first", status=409)
        secrets = {"url": channel.url.get_secret_value(), "secret": channel.secret.get_secret_value()}
        body = channel.model_dump_json(exclude={"url", "secret"})
        sealed = self._seal.close(orjson.dumps(secrets).decode())
        self._put(CHANNELS, {"id": channel.id, "body": body, "sealed": sealed, "changed_by": by})

    def remove_channel(self, channel_id: str) -> None:
        """Raises ``ActionRefused`` while an alert uses it."""
        self.channel(channel_id)
        if using := [rule.name for rule in self.rules() if channel_id in rule.channels]:
            raise ActionRefused(f"the alert {using[0]!r} sends to this channel: change it first", status=409)
        self._remove(Removed(CHANNELS, [row for row in self._store.all_rows(CHANNELS) if row["id"] == channel_id]))

    def _channel(self, row: Row) -> Channel:
        values = orjson.loads(row["body"])
        try:
            secrets = orjson.loads(self._seal.open(row["sealed"]))
        except ActionRefused as refused:
            # it stays visible, and can be given its address again
            lost = {"url": "" if values["to"] else LOST, "enabled": False, "off_because": str(refused)}
            return Channel.model_validate({**values, **lost})
        return Channel.model_validate({**values, **secrets})

    # states

    def states(self) -> dict[str, dict[str, State]]:
        """Alert -> key -> state."""
        found: dict[str, dict[str, State]] = {}
        for row in self._store.all_rows(STATES):
            if row["key"] != EVALUATED:
                found.setdefault(row["rule_id"], {})[row["key"]] = msgspec.json.decode(row["body"], type=State)
        return found

    def evaluated(self) -> dict[str, int]:
        """Alert -> the end of the last period that was evaluated (ms)."""
        return {row["rule_id"]: int(row["body"]) for row in self._store.all_rows(STATES) if row["key"] == EVALUATED}

    def write(
        self, rule_id: str, at: int, states: Mapping[str, State], gone: Iterable[str], said: Sequence[Delivery]
    ) -> None:
        """What one check of an alert came to: first what is said, then the states.

        A process that is killed in between makes the same check again, finds the same messages, and they are there.
        """
        now = self.now()
        known = {row["id"] for row in self._store.rows(MESSAGES, "id", [one.message.id for one in said], ["id"])}
        rows = [_row(one, now) for one in said if one.message.id not in known]
        kept: list[Row] = [
            {"rule_id": rule_id, "key": key, "body": msgspec.json.encode(state).decode(), "at": now}
            for key, state in states.items()
        ]
        kept.append({"rule_id": rule_id, "key": EVALUATED, "body": str(at), "at": now})
        old: list[Row] = [{"rule_id": rule_id, "key": key, "body": "", "at": now + 1} for key in gone]
        changes = [Change(MESSAGES, [], rows)] if rows else []
        self._store.replace([*changes, Change(STATES, old, kept)], now * 1000)

    # messages

    def deliveries(self) -> list[Delivery]:
        """The newest first."""
        found = [_delivery(row) for row in self._store.all_rows(MESSAGES)]
        return sorted(found, key=lambda one: (-one.created, one.message.id, one.channel_id))

    def waiting(self) -> list[Delivery]:
        """The oldest first."""
        found = [_delivery(row) for row in self._store.rows(MESSAGES, "status", ["waiting"])]
        return sorted(found, key=lambda one: (one.created, one.message.id))

    def update(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            now = self.now()
            self._store.replace([Change(MESSAGES, [], [_row(one, now) for one in deliveries])], now * 1000)

    def forget(self, before: int) -> int:
        """Take out what was made before an instant (ms) and does not wait; answers how many."""
        rows = [r for r in self._store.all_rows(MESSAGES) if r["created"] < before and r["status"] != "waiting"]
        if rows:
            self._remove(Removed(MESSAGES, rows))
        return len(rows)

    def _put(self, table: Table, row: Row) -> None:
        now = self.now()
        newest = max((one["at"] for one in self._store.all_rows(table) if one["id"] == row["id"]), default=0)
        at = max(now, newest + 1)
        self._store.replace([Change(table, [], [{**row, "at": at}])], at * 1000)

    def _remove(self, *removed: Removed) -> None:
        now = self.now()
        changes = []
        for one in removed:
            # a mark of deletion must be newer than the row
            changes.append(Change(one.table, [{**row, "at": max(now, row["at"] + 1)} for row in one.rows], []))
        self._store.replace(changes, now * 1000)


class Removed(msgspec.Struct, frozen=True):
    table: Table
    rows: list[Row]


def _row(one: Delivery, now: int) -> Row:
    return {
        "id": one.message.id,
        "channel_id": one.channel_id,
        "rule_id": one.message.rule_id,
        "status": one.status,
        "body": msgspec.json.encode(one).decode(),
        "created": one.created,
        "at": now,
    }


def _delivery(row: Row) -> Delivery:
    return msgspec.json.decode(row["body"], type=Delivery)
