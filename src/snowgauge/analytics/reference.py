"""The reference page of the query, made from its definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snowgauge.analytics.buckets import INTERVALS
from snowgauge.analytics.definitions import divides
from snowgauge.analytics.dimensions import DIMENSIONS, PROPERTY, TIMES, Dimension
from snowgauge.analytics.measures import MEASURES, Measure
from snowgauge.analytics.operators import GROUPS, OPERATORS
from snowgauge.analytics.periods import PERIODS
from snowgauge.analytics.sql.rows import TRAFFIC

_INTRODUCTION = f"""\
# Analytics query

What `POST /api/v1/analytics/query` can be asked; the [guide](../guide/analytics.md) shows how. The console's analytics
pages ask the same questions. `GET /api/v1/analytics/definitions` has this page as JSON.

A dimension is *of a visit* or *of an event*: a page view, a goal that was reached, a measurement, a shop action, an
error, or any stored event. Properties of self-describing events and of entities are dimensions too:
`{PROPERTY}unstruct_event/<vendor>/<name>/<model>/<property>` and
`{PROPERTY}contexts/<vendor>/<name>/<model>/<property>`.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_measures(), *_dimensions(), *_rest()]).rstrip() + "\n"


def _measures() -> Iterator[str]:
    yield from ("## Metrics", "")
    for group in dict.fromkeys(one.group for one in MEASURES.values()):
        yield from (f"### {group}", "")
        rows = [
            (f"`{one.name}`", one.label, one.unit, one.definition, _not_by(one))
            for one in MEASURES.values()
            if one.group == group
        ]
        yield from _table(("metric", "label", "unit", "definition", "not by"), rows)


def _not_by(measure: Measure) -> str:
    """The groups of dimensions that it cannot be divided by."""
    groups: dict[str, list[Dimension]] = {}
    for one in DIMENSIONS.values():
        groups.setdefault(one.group, []).append(one)
    return ", ".join(
        name.lower() for name, some in groups.items() if not any(divides(measure, one) for one in some)
    )  # fmt: skip


def _dimensions() -> Iterator[str]:
    yield from ("## Dimensions", "")
    for group in dict.fromkeys(one.group for one in DIMENSIONS.values()):
        yield from (f"### {group}", "")
        rows = [
            (f"`{one.name}`", one.label, one.of, one.kind, one.help)
            for one in DIMENSIONS.values()
            if one.group == group
        ]
        yield from _table(("dimension", "label", "of", "kind", "meaning"), rows)
    yield from ("### Time", "")
    yield from _table(("dimension", "meaning"), [(f"`{one.name}`", one.help) for one in TIMES.values()])


def _rest() -> Iterator[str]:
    yield from ("## Operators", "")
    rows = [
        (f"`{one.name}`", one.label, ", ".join(one.kinds), one.values, "yes" if one.folds else "")
        for one in OPERATORS.values()
    ]
    yield from _table(("operator", "meaning", "for", "values", "can ignore case"), rows)
    yield from ("## Groups of filters", "", *_names(GROUPS.items()))
    yield from ("## Periods", "", *_names(PERIODS.items()))
    yield from ("## Traffic", "", *_names(TRAFFIC.items()))
    yield from (f"Intervals: {', '.join(f'`{name}`' for name in INTERVALS)}.", "")


def _names(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return list(_table(("name", "meaning"), [(f"`{name}`", words) for name, words in pairs]))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
