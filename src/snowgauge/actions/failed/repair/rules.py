"""Rules: edits that were kept for a cause, and are made to its failures automatically from then on.

A rule replays each failure once: what it could not repair stays open, for a person. Its runs share one name, so that
what it did is found, and undone, together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import msgspec

from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.kept import Kept
from snowgauge.actions.failed.recover import Totals, recover
from snowgauge.actions.failed.replay import Replayer
from snowgauge.delivery.contract import Erasures
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import ActionRefused
from snowgauge.store.base import EventStore, Filter, Selection

_ID = re.compile(r"rule-[0-9a-f]{8}")
_DOCUMENT = re.compile(r"rules/rule-[0-9a-f]{8}\.json")
_MOST = 200


@dataclass
class RepairRule:
    """``recovered`` and ``failed`` count what it did so far; times in ms."""

    id: str
    cause: str
    headline: str
    edits: EditOptions
    by: str
    at: int
    enabled: bool = True
    recovered: int = 0
    failed: int = 0
    last: int | None = None
    trouble: str = ""

    def selection(self) -> Selection:
        """Open failures of its cause that it has not tried yet."""
        return Selection(
            filters=[
                Filter("cause", "in", (self.cause,)),
                Filter("status", "in", ("open",)),
                Filter("recovery_run", "not_in", (self.id,)),
            ]
        )


class Rules:
    """Those of one deployment, a document each. Several processes, on several machines, may change them."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def all(self) -> list[RepairRule]:
        """The newest first. Raises ``StateUnavailable``."""
        contents = self._kept.documents.contents("rules")
        rules = [_rule(body) for name, body in contents.items() if _DOCUMENT.fullmatch(name)]
        return sorted(rules, key=lambda rule: (-rule.at, rule.id))

    def keep(self, cause: str, headline: str, edits: EditOptions, *, by: str, at: int) -> RepairRule:
        """Raises ``ActionRefused`` for edits that cannot be read, or that change nothing."""
        if edits.python is not None:
            raise ActionRefused("a rule cannot call a Python function: use the other edits", status=422)
        edits.edits()
        if len(self.all()) >= _MOST:
            raise ActionRefused(f"there are {_MOST} rules already: remove some first", status=409)
        rule = RepairRule(f"rule-{uuid4().hex[:8]}", cause, headline, edits, by, at)
        self._kept.documents.put(_name(rule.id), msgspec.json.encode(rule), None)
        return rule

    def change(self, rule_id: str, change: Callable[[RepairRule], None]) -> RepairRule:
        """Change one while nobody else does. Raises ``ActionRefused`` where there is none."""

        def changed(body: bytes | None) -> bytes:
            rule = _there(rule_id, body)
            change(rule)
            return msgspec.json.encode(rule)

        return _rule(self._kept.change(_name(rule_id), changed))

    def remove(self, rule_id: str) -> RepairRule:
        rule = _there(rule_id, self._kept.documents.read(_name(rule_id)))
        self._kept.documents.remove(_name(rule_id))
        return rule


def _name(rule_id: str) -> str:
    if not _ID.fullmatch(rule_id):
        raise ActionRefused(f"there is no rule {rule_id[:40]!r}", status=404)
    return f"rules/{rule_id}.json"


def _there(rule_id: str, body: bytes | None) -> RepairRule:
    if body is None:
        raise ActionRefused(f"there is no rule {rule_id[:40]!r}", status=404)
    return _rule(body)


def _rule(body: bytes) -> RepairRule:
    return msgspec.json.decode(body, type=RepairRule)


def apply_rules(
    rules: Rules,
    store: EventStore,
    enricher: Callable[[], Enricher],
    *,
    at: int,
    gate: Callable[[], AbstractContextManager[None]],
    erasures: Erasures | None = None,
) -> list[tuple[RepairRule, Totals]]:
    """What each rule that is on did; those that had nothing to do are left out. ``enricher`` is asked for only when
    there is work."""
    done = []
    for rule in rules.all():
        if not rule.enabled or not store.count("failed", rule.selection()):
            continue
        try:
            replayer = Replayer(enricher(), rule.edits.edits())
        except ActionRefused as refused:  # written by an older or a newer version
            rules.change(rule.id, partial(_stop, why=str(refused)))
            continue
        totals = recover(store, replayer, rule.selection(), run=rule.id, at=at, gate=gate, erasures=erasures)
        if totals.rows:
            done.append((rules.change(rule.id, partial(_count, totals=totals, at=at)), totals))
    return done


def _stop(rule: RepairRule, why: str) -> None:
    rule.enabled, rule.trouble = False, why


def _count(rule: RepairRule, totals: Totals, at: int) -> None:
    rule.recovered += totals.recovered
    rule.failed += totals.failed
    rule.last = at
