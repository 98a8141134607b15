"""Where the schemas of a record come from while it is processed: what is at hand, and what has to be looked for."""

from __future__ import annotations

from typing import Protocol

from snowgauge.enrich.entities import Check
from snowgauge.errors import RegistryOutage
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.contract import Invalid, SchemasAtHand, ValidSchema, unresolved

_NOT_YET = unresolved([])


class Schemas(Protocol):
    """What the enricher asks while it processes a record."""

    def check(self, item: SelfDescribing) -> ValidSchema | Invalid: ...

    def put_off(self) -> bool:
        """Asked once an event's own data was checked: will the record be processed again, so that the rest is idle?"""


class Settled:
    """Every verdict counts. ``outages_fail``: a registry that does not answer is one without the schema."""

    def __init__(self, check: Check, *, outages_fail: bool) -> None:
        self._check = check
        self._outages_fail = outages_fail

    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        try:
            return self._check(item)
        except RegistryOutage as outage:
            if not self._outages_fail:
                raise
            return unresolved(outage.history)

    def put_off(self) -> bool:
        return False


class Wanted:
    """Notes schemas that are not at hand, and has them looked for, event by event. ``outages_fail`` as above."""

    def __init__(self, at_hand: SchemasAtHand, *, outages_fail: bool) -> None:
        self._at_hand = at_hand
        self._outages_fail = outages_fail
        self._new: list[SchemaKey] = []
        self._any = False

    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        if len(self._new) > self._at_hand.per_event:
            return _NOT_YET  # no more are looked for; whether this one is at hand is seen in the end
        try:
            verdict = self._at_hand.try_check(item)
        except RegistryOutage as outage:
            if not self._outages_fail:
                raise
            return unresolved(outage.history)
        if verdict is not None:
            return verdict
        self._new.append(item.schema)
        self._any = True
        return _NOT_YET

    def put_off(self) -> bool:
        if self._new:
            self._at_hand.look_for(self._new)
            self._new = []
        return self._any
