"""What every report is asked with: period, applications, traffic, filters, a breakdown; and the events of which it is.

The fields of the analytics question keep their names and their meaning: they are read by its reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from snowgauge.analytics.conditions import Belongs, Both, Condition, Filter, Turned, conditions
from snowgauge.analytics.dimensions import Dimension, dimension, unknown
from snowgauge.analytics.operators import OPERATORS
from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.sql.bases import CONVERSIONS, EVENTS, VIEWS, Base
from snowgauge.analytics.sql.filters import carries

Kind = Literal["page", "event", "goal"]
Unit = Literal["person", "visit"]
UNITS: tuple[Unit, ...] = ("person", "visit")
SHARED = ("app", "date_range", "timezone", "week_start", "traffic", "filters", "include", "explain")
KINDS: dict[Kind, tuple[Base, str, str]] = {
    "page": (VIEWS, "event:page", "Page"),
    "event": (EVENTS, "event:name", "Event"),
    "goal": (CONVERSIONS, "event:goal", "Goal"),
}
"""Of each: its rows, the dimension that names one, and what it is called."""
MOST_EVENT_FILTERS = 20
LONGEST_NAME = 500
_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True)
class Happening:
    """A kind of event that a report is about: a page or screen, a stored event, or a goal, with conditions on it.

    Without ``name`` any of the kind is meant; of stored events any but page pings and technical ones.
    """

    kind: Kind
    name: str
    filters: tuple[Filter, ...]
    label: str
    where: str

    @property
    def base(self) -> Base:
        return KINDS[self.kind][0]

    @property
    def same(self) -> tuple[object, ...]:
        """Equal for happenings that are the same, whatever they are called and wherever they stand."""
        return self.kind, self.name, tuple(_plain(one) for one in self.filters)


def scope(
    given: Mapping[str, Any], around: Surroundings, own: Sequence[str], *, breakdown: bool = True, compared: bool = True
) -> Question:
    """The shared fields as a question of which only period, applications, traffic, filters, breakdown and comparison
    matter. ``own``: the fields of the report itself. Raises ``QuestionRefused``."""
    fields = (*SHARED, *(("breakdown",) if breakdown else ()), *own)
    for name in given:
        if name not in fields:
            raise unknown("field", str(name), fields, "", f" (there are {', '.join(fields)})")
    asked = {name: given[name] for name in SHARED if name in given}
    if given.get("breakdown") is not None:
        asked["dimensions"] = [given["breakdown"]]
    try:
        question = read({**asked, "metrics": ["visits"]}, around)
    except QuestionRefused as refused:
        raise QuestionRefused(refused.where.replace("dimensions[0]", "breakdown"), refused.reason) from None
    if question.dimensions and not isinstance(question.dimensions[0], Dimension):
        raise QuestionRefused("breakdown", "a report is divided by a dimension, not by time")
    if question.comparison is not None and not compared:
        raise QuestionRefused("include.comparisons", "this report is not compared: ask for another period")
    return question


def happening(given: Any, where: str, around: Surroundings) -> Happening:
    """One event of a report. Raises ``QuestionRefused`` with its place."""
    fields = ("kind", "name", "filters", "label")
    if not isinstance(given, dict):
        raise QuestionRefused(
            where, f'expected an object such as {{"kind": "page", "name": "/"}}, found {shown(given)}'
        )
    for field in given:
        if field not in fields:
            raise unknown("field", str(field), fields, where, f" (there are {', '.join(fields)})")
    kind = next((each for each in KINDS if each == given.get("kind")), None)
    if kind is None:
        raise QuestionRefused(f"{where}.kind", f"expected one of {', '.join(KINDS)}, found {shown(given.get('kind'))}")
    name, label = (_text(given.get(field) or "", f"{where}.{field}") for field in ("name", "label"))
    base, named, _ = KINDS[kind]
    asked = given.get("filters", [])
    if not isinstance(asked, list) or len(asked) > MOST_EVENT_FILTERS:
        raise QuestionRefused(f"{where}.filters", f"expected a list of at most {MOST_EVENT_FILTERS} filters")
    filters = _filters(asked, where, around)
    for one in filters:
        if not carries(base, one):
            strange = next((c.dimension.name for c in conditions(one) if c.dimension.place(base) is None), "has_done")
            raise QuestionRefused(
                f"{where}.{one.where}",
                f"a condition on one {kind} cannot ask for {strange}: put it among the report's own filters, or choose "
                "another kind of event",
            )
    if name:
        operator = OPERATORS["matches_wildcard" if kind == "page" and "*" in name else "is"]
        filters = (Condition(dimension(named, where), operator, (name,), True, f"{where}.name"), *filters)
    return Happening(kind, name, filters, label or name or f"any {kind}", where)


def happenings(given: Any, where: str, around: Surroundings, *, least: int, most: int) -> tuple[Happening, ...]:
    """A list of them. Raises ``QuestionRefused``."""
    if not isinstance(given, list) or not least <= len(given) <= most:
        found = f"{len(given)} of them" if isinstance(given, list) else shown(given)
        raise QuestionRefused(where, f"expected a list of {least} to {most}, found {found}")
    return tuple(happening(one, f"{where}[{at}]", around) for at, one in enumerate(given))


def choice(given: Any, names: Sequence[_Word], usual: _Word, where: str) -> _Word:
    """One of some words."""
    if given is None:
        return usual
    if not isinstance(given, str) or given not in names:
        raise QuestionRefused(where, f"expected one of {', '.join(names)}, found {shown(given)}")
    return next(name for name in names if name == given)


def whole(given: Any, least: int, most: int, usual: int, where: str) -> int:
    """A whole number."""
    if given is None:
        return usual
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise QuestionRefused(where, f"expected a whole number from {least:,} to {most:,}, found {shown(given)}")
    return given


def flag(given: Any, where: str) -> bool:
    """``true`` or ``false``; nothing is ``false``."""
    if given is None or isinstance(given, bool):
        return bool(given)
    raise QuestionRefused(where, f"expected true or false, found {shown(given)}")


def divided(question: Question, base: Base, where: str = "breakdown") -> Dimension | None:
    """The breakdown, of rows of a base. Raises ``QuestionRefused`` where those have none."""
    if not question.dimensions:
        return None
    one = question.dimensions[0]
    assert isinstance(one, Dimension)
    if one.place(base) is None:
        raise QuestionRefused(where, f"it is taken of {base.words}, and these have no {one.name}")
    return one


def shown(given: Any) -> str:
    """A value in an error."""
    text = repr(given)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _filters(asked: list[Any], where: str, around: Surroundings) -> tuple[Filter, ...]:
    try:
        return read({"metrics": ["events"], "filters": asked, "date_range": "day"}, around).filters
    except QuestionRefused as refused:
        raise QuestionRefused(f"{where}.{refused.where}" if refused.where else where, refused.reason) from None


def _text(given: Any, where: str) -> str:
    if not isinstance(given, str) or len(given) > LONGEST_NAME:
        raise QuestionRefused(where, f"expected a text of at most {LONGEST_NAME} characters, found {shown(given)}")
    if "\x00" in given or any("\ud800" <= char <= "\udfff" for char in given):
        raise QuestionRefused(where, "the text holds U+0000 or half a surrogate pair, which no stored text does")
    return given


def _plain(one: Filter) -> tuple[object, ...]:
    """A filter without its place."""
    match one:
        case Condition():
            return one.dimension.name, one.operator.name, one.values, one.case_sensitive
        case Both():
            return one.kind, *(_plain(part) for part in one.parts)
        case Turned():
            return one.kind, _plain(one.part)
        case Belongs():
            return "cohort", one.cohort
