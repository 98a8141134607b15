"""What the modeller needs of a store: events found by what they belong to, and rows of modelled tables replaced.

No definition of a modelled figure is on this side: a store finds, reads and replaces. Instants are ms, days are numbers
of days since 1970, amounts are ``Decimal``, a text that is not set is ``''``, on every store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from snowgauge.modelling.definition import Table
from snowgauge.modelling.entities import entities
from snowgauge.modelling.events import Columns, Unit, session_of, unit_of, view_of
from snowgauge.modelling.making.unit import Row


class Found(NamedTuple):
    """Events of one unit that were stored in one minute.

    ``mark`` changes when events are added. ``domain_sessionid``: the session, where a store could read it in the
    client_session entity that of the entity. Texts are given where the unit cannot be told without: ``contexts`` of
    events that have no session otherwise, ``event_id`` and ``event_name`` of those that may have none,
    ``unstruct_event`` of screen views among them. ``since``, ``until``: when they were collected, ms; ``rows``: how
    many they are.
    """

    minute: int
    mark: int
    platform: str
    domain_sessionid: str
    contexts: str
    event_id: str
    event_name: str
    unstruct_event: str
    since: int
    until: int
    rows: int = 1

    @property
    def unit(self) -> str:
        found = entities(self.contexts)
        session = session_of(self.platform, self.domain_sessionid, found)
        view = view_of(self.event_id, self.event_name, found, self.unstruct_event)
        return unit_of(session, view, self.event_id)


class Change(NamedTuple):
    """``old``: rows that are there and give way (with the columns of the key and of the sorting key at least);
    ``rows``: those that come. A row in both is replaced."""

    table: Table
    old: Sequence[Row]
    rows: Sequence[Row]


class Group(NamedTuple):
    """Events of one quarter of an hour that are alike. ``rows`` counts an event as often as it is there."""

    app_id: str
    slot: int
    platform: str
    event_name: str
    event_vendor: str
    event_version: str
    name_tracker: str
    v_tracker: str
    app_version: str
    useragent: str
    derived_contexts: str
    events: int
    rows: int
    late: int


class ModelStore(Protocol):
    """Raises ``StoreUnavailable`` where nothing can be said, and everything may be asked again."""

    def now(self) -> int:
        """The database's own clock, by which ``load_tstamp`` is set, ms."""

    def stored_since(self, since: int) -> list[Found]:
        """What has a ``load_tstamp`` of ``since`` (ms) or later."""

    def collected(self, since: int, until: int) -> list[Found]:
        """What was collected from ``since`` on and before ``until`` (ms)."""

    def collected_of(self, units: Sequence[Unit], since: int, until: int) -> list[Found]:
        """The same of these units. There may be events of other units among them."""

    def last_collected(self, before: int) -> int | None:
        """When the latest event before an instant (ms) was collected; ``None``: there is none."""

    def days_before(self, before: int, most: int) -> list[tuple[int, int]]:
        """Of the ``most`` days (UTC, since 1970) up to an instant (ms) those with events, the latest first, and how
        many each has."""

    def events(self, units: Sequence[Unit], since: int, until: int) -> Iterator[Columns]:
        """The events of these units that were collected from ``since`` to ``until`` (ms), as ``events.COLUMNS``; of a
        session with more than ``make.MOST_EVENTS`` the earliest, and one more. There may be events of other units
        among them, and an event more than once."""

    def rows(self, table: Table, column: str, values: Sequence[str], names: Sequence[str] = ()) -> list[Row]:
        """The rows of a table with one of these values in a column; ``names``: the columns wanted, else all."""

    def all_rows(self, table: Table) -> list[Row]:
        """Every row of one of the small tables."""

    def replace(self, changes: Sequence[Change], version: int) -> None:
        """Make the changes in their order, all or none where the store can; with ``version`` as ``model_version``."""

    def drop(self, table: Table, column: str, values: Sequence[str]) -> None:
        """Take out the rows with one of these values in a column, at once."""

    def groups(self, slots: Sequence[int]) -> list[Group]:
        """The events collected in these quarters of an hour (their starts, ms), counted by kind."""

    def rows_of_slots(self, slots: Sequence[int]) -> list[Row]:
        """The rows of ``event_stats`` of these quarters of an hour."""

    def units_of_days(self, table: Table, days: range) -> list[str]:
        """The units that have rows on one of these days (UTC, since 1970)."""

    def repeated_views(self, days: range) -> list[str]:
        """Ids of views with a row in ``page_views`` on one of these days (UTC, since 1970) and rows of several units of
        one application."""

    def units_of(self, events: Sequence[tuple[str, int]]) -> list[Found]:
        """The units of these events, by event id and collector_tstamp (ms)."""

    def units_of_people(self, table: Table, columns: Sequence[str], values: Sequence[str]) -> list[Unit]:
        """The units of rows with one of these values in one of the columns, without regard to case."""

    def purge(self, gone: Mapping[Table, tuple[str, Sequence[str]]], version: int) -> None:
        """Table -> column and values: have nothing left of such rows that is older than a version, whether it was
        replaced or taken out."""

    def people_before(self, before: int, apps: tuple[Sequence[str], bool]) -> list[str]:
        """The persons of sessions that began before an instant (ms). ``apps``: ids, and whether only these are meant or
        all but these."""

    def count_before(self, tables: Sequence[Table], before: int, apps: tuple[Sequence[str], bool]) -> int:
        """How many rows ``expire`` would take out."""

    def expire(self, tables: Sequence[Table], before: int, apps: tuple[Sequence[str], bool]) -> None:
        """Take out the rows of these applications and of a time before an instant (ms)."""

    def stage(self, tables: Sequence[Table]) -> None:
        """Make an empty place beside each table, for the rows of some days."""

    def add_staged(self, table: Table, rows: Sequence[Row], version: int) -> None:
        """Put rows there."""

    def switch(self, tables: Sequence[Table], days: range) -> None:
        """Make the staged rows the only ones of these days, day by day and table by table, each at once; the places are
        gone then."""


@runtime_checkable
class HasModelling(Protocol):
    """A store that keeps modelled tables."""

    def modelling(self) -> ModelStore: ...


def units_of(found: Iterable[Found]) -> list[Unit]:
    """The units, each once, with the whole time in which their events were collected."""
    units: dict[str, Unit] = {}
    for one in found:
        name = one.unit
        known = units.get(name, Unit(name, one.since, one.until))
        units[name] = Unit(name, min(known.since, one.since), max(known.until, one.until))
    return list(units.values())
