"""A question from JSON. What is wrong with it is said with its place, such as ``filters[0][1]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from snowgauge.analytics import periods
from snowgauge.analytics.buckets import INTERVALS, Bucket, Interval, buckets, offered
from snowgauge.analytics.conditions import Belongs, Both, Condition, Filter, Members, Turned, conditions
from snowgauge.analytics.dimensions import TIMES, Dimension, dimension, unknown
from snowgauge.analytics.measures import MEASURES, Measure
from snowgauge.analytics.operators import GROUPS, OPERATORS, Operator, PatternRefused, Value
from snowgauge.analytics.periods import PERIODS, Calendar, Period, WeekStart
from snowgauge.analytics.question import Along, Comparison, Include, Order, Question
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.sql.bases import VISITS
from snowgauge.analytics.sql.filters import carries
from snowgauge.analytics.sql.rows import TRAFFIC

MOST_MEASURES = 20
MOST_DIMENSIONS = 4
MOST_CONDITIONS = 50
MOST_COHORTS = 5
MOST_VALUES = 200
MOST_ROWS = 100_000
MOST_COMPARED = 1_000
LONGEST_VALUE = 20_000
_DEEPEST = 8
_LONGEST_FILTERS = 100_000
_MODES: tuple[Literal["previous_period", "year_over_year", "custom"], ...] = (
    "previous_period", "year_over_year", "custom",
)  # fmt: skip
_TURNED: tuple[Literal["not", "has_done", "has_not_done"], ...] = ("not", "has_done", "has_not_done")
_JOINED: tuple[Literal["and", "or", "same_event", "same_visit"], ...] = ("and", "or", "same_event", "same_visit")
_Name = TypeVar("_Name", bound=str)


@dataclass(frozen=True)
class Surroundings:
    """What a question is read against. ``calendar`` gives that of its applications where it names no zone or no start
    of the week; ``earliest`` is the first instant (ms) that anything is known of, for the period ``all``. ``segment``
    gives a saved segment's filters, ``cohort`` the people of a saved cohort; it raises ``QuestionRefused`` where its
    figures would show single people. ``allowed``: the only applications that may be asked about; ``None``: all."""

    now: int
    calendar: Callable[[tuple[str, ...]], Calendar] = lambda _: Calendar()
    earliest: Callable[[tuple[str, ...]], int | None] = lambda _: None
    segment: Callable[[str], Sequence[Any] | None] = lambda _: None
    cohort: Callable[[str], Members | None] = lambda _: None
    allowed: tuple[str, ...] | None = None


_FIELDS = (
    "app", "metrics", "dimensions", "filters", "date_range", "timezone", "week_start", "traffic", "order_by",
    "pagination", "include", "explain",
)  # fmt: skip


def read(given: Mapping[str, Any], around: Surroundings) -> Question:
    """Raises ``QuestionRefused``."""
    _known(given, _FIELDS, "")
    apps = within(_apps(given.get("app")), around.allowed)
    period = _period(given, apps, around)
    measures = _measures(given.get("metrics"))
    filters = _filters(given.get("filters", []), around)
    dimensions = _dimensions(given.get("dimensions", []), period, around.now)
    include = _object(
        given.get("include", {}), "include",
        ("time_labels", "total_rows", "comparisons", "today", "coverage", "trim_relative_date_range", "imports"),
    )  # fmt: skip
    _sensible(measures, dimensions, filters)
    traffic = _choice(given.get("traffic", "people"), tuple(TRAFFIC), "traffic")
    limit, offset = _paging(given.get("pagination", {}))
    comparison = _comparison(include.get("comparisons"), period, around)
    if comparison is not None and dimensions and limit > MOST_COMPARED and not _one_line(dimensions):
        limit = MOST_COMPARED
    return Question(
        measures, dimensions, filters, period, apps, traffic,
        _order(given.get("order_by"), measures, dimensions), limit, offset,
        Include(
            total_rows=_flag(include.get("total_rows", False), "include.total_rows"),
            coverage=_flag(include.get("coverage", True), "include.coverage"),
            explain=_flag(given.get("explain", False), "explain"),
            imports=_flag(include.get("imports", False), "include.imports"),
        ),
        comparison, around.now,
    )  # fmt: skip


def _one_line(dimensions: Sequence[Dimension | Along]) -> bool:
    return len(dimensions) == 1 and isinstance(dimensions[0], Along)


def _apps(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not names or len(names) > 50:
        raise QuestionRefused("app", "expected the id of an application, or a list of 1 to 50")
    return tuple(_clean(name, "app") for name in names)


def within(apps: tuple[str, ...], allowed: tuple[str, ...] | None) -> tuple[str, ...]:
    """The applications to ask about, empty: all, of those that someone may see. Raises ``QuestionRefused``."""
    if allowed is None:
        return apps
    for name in apps:
        if name not in allowed:
            raise QuestionRefused("app", f"you have no access to the application {name[:100]!r}")
    return apps or allowed


def _measures(given: Any) -> tuple[Measure, ...]:
    names = _list(given, "metrics", MOST_MEASURES)
    if not names:
        raise QuestionRefused("metrics", f"name at least one, such as {', '.join(list(MEASURES)[:3])}")
    found = []
    for at, name in enumerate(names):
        one = MEASURES.get(name) if isinstance(name, str) else None
        if one is None:
            raise unknown("metric", str(name), MEASURES, f"metrics[{at}]")
        if one in found:
            raise QuestionRefused(f"metrics[{at}]", f"{name} is asked for twice")
        found.append(one)
    return tuple(found)


def _dimensions(given: Any, period: Period, now: int) -> tuple[Dimension | Along, ...]:
    found: list[Dimension | Along] = []
    for at, name in enumerate(_list(given, "dimensions", MOST_DIMENSIONS)):
        where = f"dimensions[{at}]"
        if not isinstance(name, str):
            raise QuestionRefused(where, f"expected the name of a dimension, found {_shown(name)}")
        if any(one.name == name for one in found):
            raise QuestionRefused(where, f"{name} is there twice")
        along = TIMES.get(name)
        if along is None:
            found.append(dimension(name, where))
            continue
        if along.clock is None and any(isinstance(one, Along) and one.dimension.clock is None for one in found):
            raise QuestionRefused(where, "time is divided twice: name one interval")
        cut: tuple[Bucket, ...] = ()
        if along.clock is None:
            interval: Interval = along.interval or offered(period)[0]
            cut = tuple(buckets(period, interval, now, where=where))
        found.append(Along(along, cut))
    nested = [one for one in found if isinstance(one, Dimension) and one.nested is not None]
    if len(nested) > 1:
        raise QuestionRefused(
            "dimensions", "two properties at a time cannot be told apart: an event may have several values of each"
        )
    return tuple(found)


def _sensible(measures: Sequence[Measure], dimensions: Sequence[Dimension | Along], filters: Sequence[Filter]) -> None:
    """What makes no sense together, whatever the store could answer."""
    asked = [condition.dimension for one in filters for condition in conditions(one)]
    divided = [one for one in dimensions if isinstance(one, Dimension)]
    for at, measure in enumerate(measures):
        if measure.needs and not any(set(one.places) & set(measure.needs) for one in (*divided, *asked)):
            raise QuestionRefused(
                f"metrics[{at}]",
                f"{measure.name} says something about pages only: divide it by event:page, or filter by one",
            )
        strange = [one for one in filters if not carries(VISITS, one)]
        if measure.whole_visits and strange:
            names = ", ".join(dict.fromkeys(c.dimension.name for one in strange for c in conditions(one)))
            raise QuestionRefused(
                f"metrics[{at}]",
                f"{measure.name} is made of whole visits, so it would count what does not meet the filter on "
                f"{names}, too: "
                "leave out one of them, or ask for pageviews and visits",
            )


def _filters(given: Any, around: Surroundings) -> tuple[Filter, ...]:
    if not isinstance(given, list):
        raise QuestionRefused("filters", f"expected a list of filters, found {_shown(given)}")
    reader = _FilterReader(around)
    return tuple(reader.read(one, f"filters[{at}]", 1) for at, one in enumerate(given))


class _FilterReader:
    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._conditions = 0
        self._cohorts = 0
        self._length = 0
        self._inside: list[str] = []

    def read(self, given: Any, where: str, depth: int) -> Filter:
        if not isinstance(given, list) or not given or not isinstance(given[0], str):
            raise QuestionRefused(
                where, f'expected a filter such as ["is", "visit:source", ["Google"]], found {_shown(given)}'
            )
        if depth > _DEEPEST:
            raise QuestionRefused(where, f"filters are nested more than {_DEEPEST} deep")
        name = given[0]
        if name in GROUPS:
            return self._group(name, given, where, depth)
        operator = OPERATORS.get(name)
        if operator is None:
            raise unknown("operator", name, [*OPERATORS, *GROUPS], f"{where}[0]")
        if len(given) > 1 and given[1] == "segment":
            return self._segment(operator, given, where, depth)
        if len(given) > 1 and given[1] == "cohort":
            return self._cohort(operator, given, where)
        return self._condition(operator, given, where)

    def _group(self, name: str, given: list[Any], where: str, depth: int) -> Filter:
        if len(given) != 2:
            raise QuestionRefused(where, f"{name} takes one thing after its name, found {len(given) - 1}")
        if name in _TURNED:
            part = self.read(given[1], f"{where}[1]", depth + 1)
            if name != "not" and (visit := [c.dimension.name for c in conditions(part) if c.dimension.of == "visit"]):
                raise QuestionRefused(
                    where,
                    f"{name} is about events, and {visit[0]} is something that a whole visit is: filter by it directly",
                )
            return Turned(_choice(name, _TURNED, where), part, where)
        if not isinstance(given[1], list) or not given[1]:
            raise QuestionRefused(f"{where}[1]", f"{name} takes a list of filters, found {_shown(given[1])}")
        parts = tuple(self.read(one, f"{where}[1][{at}]", depth + 1) for at, one in enumerate(given[1]))
        if name in ("same_event", "same_visit") and any(isinstance(one, Turned) and one.kind != "not" for one in parts):
            raise QuestionRefused(where, f"{name} joins conditions on events: put has_done and has_not_done beside it")
        return Both(_choice(name, _JOINED, where), parts, where)

    def _segment(self, operator: Operator, given: list[Any], where: str, depth: int) -> Filter:
        ids = given[2] if len(given) > 2 else None
        if operator.name not in ("is", "is_not") or not isinstance(ids, list) or not ids:
            raise QuestionRefused(where, 'a segment is asked for as ["is", "segment", [id]] or ["is_not", …]')
        found: list[Filter] = []
        for one in ids:
            if not isinstance(one, str) or one in self._inside:
                raise QuestionRefused(where, f"segment {_shown(one)} contains itself")
            saved = self._around.segment(one)
            if saved is None:
                raise QuestionRefused(where, f"there is no segment {_shown(one)}")
            self._inside.append(one)
            parts = tuple(self.read(part, f"{where} of segment {one}", depth + 1) for part in saved)
            self._inside.pop()
            found.append(Both("and", parts, where))
        any_of = found[0] if len(found) == 1 else Both("or", tuple(found), where)
        return Turned("not", any_of, where) if operator.negates else any_of

    def _cohort(self, operator: Operator, given: list[Any], where: str) -> Filter:
        ids = given[2] if len(given) > 2 else None
        if operator.name not in ("is", "is_not") or not isinstance(ids, list) or not 1 <= len(ids) <= MOST_COHORTS:
            raise QuestionRefused(
                where,
                f'a cohort is asked for as ["is", "cohort", [id]] or ["is_not", …], at most {MOST_COHORTS} a time',
            )
        found: list[Filter] = []
        for one in ids:
            members = self._around.cohort(one) if isinstance(one, str) else None
            if members is None:
                raise QuestionRefused(where, f"there is no cohort {_shown(one)}")
            self._cohorts += 1
            if self._cohorts > MOST_COHORTS:
                raise QuestionRefused(where, f"more than {MOST_COHORTS} cohorts")
            found.append(Belongs(members, where))
        any_of = found[0] if len(found) == 1 else Both("or", tuple(found), where)
        return Turned("not", any_of, where) if operator.negates else any_of

    def _condition(self, operator: Operator, given: list[Any], where: str) -> Condition:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise QuestionRefused(where, f"more than {MOST_CONDITIONS} conditions")
        least = 2 if operator.values == "none" else 3
        if not least <= len(given) <= 4 or not isinstance(given[1], str):
            raise QuestionRefused(where, f'expected ["{operator.name}", dimension, values], found {_shown(given)}')
        found = dimension(given[1], f"{where}[1]")
        if found.kind not in operator.kinds or (found.nested is not None and "text" not in operator.kinds):
            fit = ", ".join(name for name, one in OPERATORS.items() if found.kind in one.kinds)
            raise QuestionRefused(
                f"{where}[0]", f"{operator.name} does not suit {found.name}, which is a {found.kind}: use one of {fit}"
            )
        options = _object(given[3] if len(given) > 3 else {}, f"{where}[3]", ("case_sensitive",))
        case_sensitive = _flag(options.get("case_sensitive", True), f"{where}[3].case_sensitive")
        if not case_sensitive and not operator.folds:
            raise QuestionRefused(f"{where}[3]", f"{operator.name} always minds upper and lower case")
        values = () if operator.values == "none" else self._values(operator, found, given[2], f"{where}[2]")
        return Condition(found, operator, values, case_sensitive, where)

    def _values(self, operator: Operator, of: Dimension, given: Any, where: str) -> tuple[Value, ...]:
        if not isinstance(given, list) or not given:
            raise QuestionRefused(where, f"expected a list of values, found {_shown(given)}")
        if len(given) > MOST_VALUES:
            raise QuestionRefused(where, f"more than {MOST_VALUES} values")
        if operator.values == "one" and len(given) != 1:
            raise QuestionRefused(where, f"{operator.name} takes one value, found {len(given)}")
        return tuple(self._value(operator, of, value, f"{where}[{at}]") for at, value in enumerate(given))

    def _value(self, operator: Operator, of: Dimension, value: Any, where: str) -> Value:
        if of.kind == "number":
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
                raise QuestionRefused(where, f"{of.name} is compared with a number, found {_shown(value)}")
            return value
        if value is None and operator.name in ("is", "is_not"):
            return None
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int | float) and of.nested is not None:
            value = str(value)
        if not isinstance(value, str):
            raise QuestionRefused(where, f"{of.name} is compared with a text, found {_shown(value)}")
        if not value and operator.name not in ("is", "is_not"):
            raise QuestionRefused(where, f"{operator.name} takes a text with at least one character")
        text = _clean(value, where)
        self._length += len(text)
        if self._length > _LONGEST_FILTERS:
            raise QuestionRefused(where, f"the filters have more than {_LONGEST_FILTERS:,} characters")
        if operator.check is not None:
            try:
                operator.check(text)
            except PatternRefused as refused:
                raise QuestionRefused(where, f"{_shown(text)} is not a pattern that works here: {refused}") from None
        return text


def _period(given: Mapping[str, Any], apps: tuple[str, ...], around: Surroundings) -> Period:
    named = given.get("timezone"), given.get("week_start")
    usual = Calendar() if all(named) else around.calendar(apps)
    zone = named[0] or usual.zone
    if not isinstance(zone, str):
        raise QuestionRefused("timezone", f"expected a name such as Europe/Berlin, found {_shown(zone)}")
    periods.zone_info(zone)
    week_starts: tuple[WeekStart, ...] = get_args(WeekStart)
    week_start = _choice(named[1] or usual.week_start, week_starts, "week_start")
    include = given.get("include")
    options = include if isinstance(include, dict) else {}
    today = _flag(options.get("today", False), "include.today")
    asked = given.get("date_range", "28d")
    period = _asked_period(asked, "date_range", zone, week_start, today, apps, around)
    trims = _flag(options.get("trim_relative_date_range", False), "include.trim_relative_date_range")
    if trims and isinstance(asked, str) and period.running(around.now) and period.first is not None:
        return periods.of_days(period.first, periods.local(around.now, zone).date(), zone, week_start)
    return period


def _asked_period(
    asked: Any, where: str, zone: str, week_start: WeekStart, today: bool, apps: tuple[str, ...], around: Surroundings
) -> Period:
    if isinstance(asked, str):
        if asked not in PERIODS:
            raise unknown("period", asked, PERIODS, where, f" (there are {', '.join(PERIODS)}, and [from, to])")
        earliest = around.earliest(apps) if asked == "all" else None
        return periods.named(
            asked, now=around.now, zone=zone, week_start=week_start, include_today=today,
            earliest=earliest,
        )  # fmt: skip
    if isinstance(asked, list) and len(asked) == 2 and all(isinstance(one, str) for one in asked):
        return periods.between(asked[0], asked[1], zone=zone, week_start=week_start, where=where)
    raise QuestionRefused(where, f'expected a name such as "28d", or two dates, found {_shown(asked)}')


def _comparison(given: Any, period: Period, around: Surroundings) -> Comparison | None:
    if given is None:
        return None
    where = "include.comparisons"
    asked = _object(given, where, ("mode", "date_range", "match_day_of_week"))
    mode = _choice(asked.get("mode"), _MODES, f"{where}.mode")
    if mode == "custom":
        other = _asked_period(
            asked.get("date_range"), f"{where}.date_range", period.zone, period.week_start, False, (), around
        )
    elif mode == "previous_period":
        other = periods.before(period, around.now)
    else:
        matches = _flag(asked.get("match_day_of_week", True), f"{where}.match_day_of_week")
        other = periods.year_before(period, around.now, match_day_of_week=matches)
    return Comparison(mode, other)


def _order(given: Any, measures: Sequence[Measure], dimensions: Sequence[Dimension | Along]) -> tuple[Order, ...]:
    names = [*(one.name for one in measures), *(one.name for one in dimensions)]
    if given is None:
        along = next((one for one in dimensions if isinstance(one, Along)), None)
        return (Order(along.name, False),) if along is not None else (Order(measures[0].name, True),)
    found = []
    for at, one in enumerate(_list(given, "order_by", len(names))):
        where = f"order_by[{at}]"
        if not isinstance(one, list) or len(one) != 2 or one[1] not in ("asc", "desc"):
            raise QuestionRefused(where, f'expected [name, "asc"] or [name, "desc"], found {_shown(one)}')
        if one[0] not in names:
            raise QuestionRefused(where, f"{_shown(one[0])} is not asked for: order by one of {', '.join(names)}")
        found.append(Order(one[0], one[1] == "desc"))
    return tuple(found)


def _paging(given: Any) -> tuple[int, int]:
    asked = _object(given, "pagination", ("limit", "offset"))
    limit, offset = asked.get("limit", 10_000), asked.get("offset", 0)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_ROWS:
        raise QuestionRefused("pagination.limit", f"expected a number from 1 to {MOST_ROWS:,}, found {_shown(limit)}")
    if isinstance(offset, bool) or not isinstance(offset, int) or not 0 <= offset < 2**31:
        raise QuestionRefused("pagination.offset", f"expected a number from 0, found {_shown(offset)}")
    return limit, offset


def _list(given: Any, where: str, most: int) -> list[Any]:
    if not isinstance(given, list):
        raise QuestionRefused(where, f"expected a list, found {_shown(given)}")
    if len(given) > most:
        raise QuestionRefused(where, f"at most {most} at a time, found {len(given)}")
    return given


def _object(given: Any, where: str, fields: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise QuestionRefused(where, f"expected an object, found {_shown(given)}")
    _known(given, fields, where)
    return given


def _known(given: Mapping[str, Any], fields: Sequence[str], where: str) -> None:
    for name in given:
        if name not in fields:
            raise unknown("field", str(name), fields, where, f" (there are {', '.join(fields)})")


def _choice(given: Any, names: Sequence[_Name], where: str) -> _Name:
    for name in names:
        if name == given:
            return name
    raise QuestionRefused(where, f"expected one of {', '.join(names)}, found {_shown(given)}")


def _flag(given: Any, where: str) -> bool:
    if not isinstance(given, bool):
        raise QuestionRefused(where, f"expected true or false, found {_shown(given)}")
    return given


def _clean(given: Any, where: str) -> str:
    if not isinstance(given, str):
        raise QuestionRefused(where, f"expected a text, found {_shown(given)}")
    if len(given) > LONGEST_VALUE:
        raise QuestionRefused(where, f"a text of {len(given):,} characters: at most {LONGEST_VALUE:,} are compared")
    if "\x00" in given or any("\ud800" <= char <= "\udfff" for char in given):
        raise QuestionRefused(where, "the text holds U+0000 or half a surrogate pair, which no stored text does")
    return given


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 80 else f"{text[:77]}…"


__all__ = ["INTERVALS", "Surroundings", "read"]
