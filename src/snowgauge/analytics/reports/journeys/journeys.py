"""Journeys: the pages or events that follow one another, step by step, with the people who took each way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.answers import Reporter, ReportMeta
from snowgauge.analytics.reports.asked import UNITS, Happening, Unit, choice, happening, scope, shown, whole
from snowgauge.analytics.reports.moments import Plain, Whole
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.sql.bases import CONVERSIONS, EVENTS, VIEWS, Base
from snowgauge.analytics.sql.expressions import FirstFolder
from snowgauge.analytics.sql.rows import Columns

Direction = Literal["forwards", "backwards"]
DIRECTIONS: dict[Direction, str] = {
    "forwards": "what comes after the anchor, or after the beginning",
    "backwards": "what comes before the anchor, or before the end",
}
Grouping = Literal["none", "content_group", "folder"]
GROUPINGS: dict[Grouping, str] = {
    "none": "paths as they are",
    "content_group": "by the application's content groups",
    "folder": "by the first folder of the path",
}
Kind = Literal["page", "event", "goal"]
KINDS: dict[Kind, Base] = {"page": VIEWS, "event": EVENTS, "goal": CONVERSIONS}
FIELDS = ("anchor", "direction", "kinds", "unit", "group", "steps", "limit")
MOST_STEPS = 10
MOST_NODES = 50


@dataclass(frozen=True)
class Journeys:
    """``kinds``: what is a step of the way. ``steps``: how many are told, the first included; ``limit``: how many
    nodes each of them has, the rest together."""

    question: Question
    anchor: Happening | None
    direction: Direction
    kinds: tuple[Kind, ...]
    unit: Unit
    group: Grouping
    steps: int
    limit: int


@dataclass(frozen=True)
class Node:
    """``step`` from 0. ``what``: ``page``, ``event`` or ``goal`` with ``name``; ``other``: all that are not told one by
    one; ``end``: the way is over. ``people``: distinct ones who passed it there."""

    id: str
    step: int
    what: Literal["page", "event", "goal", "other", "end"]
    name: str
    people: int


@dataclass(frozen=True)
class Link:
    """Distinct ``people`` who went from one node to the next, by the nodes' ids. Backwards ``source`` is the later
    one, nearer to the anchor."""

    source: str
    target: str
    people: int


@dataclass(frozen=True)
class JourneysAnswer:
    """``people``: distinct ones with such a way. Nodes are ordered by step and people."""

    people: int
    nodes: list[Node]
    links: list[Link]
    meta: ReportMeta
    query: dict[str, object]


def read_journeys(given: Mapping[str, Any], around: Surroundings) -> Journeys:
    """Raises ``QuestionRefused``."""
    question = scope(given, around, FIELDS, breakdown=False, compared=False)
    anchor = None if given.get("anchor") is None else happening(given["anchor"], "anchor", around)
    kinds = _kinds(given.get("kinds", [anchor.kind if anchor is not None else "page"]))
    group = choice(given.get("group"), tuple(GROUPINGS), "none", "group")
    if anchor is not None and anchor.kind not in kinds:
        raise QuestionRefused("kinds", f"the anchor is of kind {anchor.kind}, which is not among the kinds of steps")
    if group != "none" and "page" not in kinds:
        raise QuestionRefused("group", "only pages are grouped, and they are not among the kinds of steps")
    return Journeys(
        question, anchor,
        choice(given.get("direction"), tuple(DIRECTIONS), "forwards", "direction"), kinds,
        choice(given.get("unit"), UNITS, "visit", "unit"), group,
        whole(given.get("steps"), 2, MOST_STEPS, 4, "steps"), whole(given.get("limit"), 1, MOST_NODES, 10, "limit"),
    )  # fmt: skip


def _kinds(given: Any) -> tuple[Kind, ...]:
    if not isinstance(given, list) or not given or len(set(map(repr, given))) != len(given):
        raise QuestionRefused("kinds", f"expected a list of {', '.join(KINDS)}, each once, found {shown(given)}")
    return tuple(choice(one, tuple(KINDS), "page", f"kinds[{at}]") for at, one in enumerate(given))


def answer(asked: Journeys, reporter: Reporter, query: dict[str, object]) -> JourneysAnswer:
    """Raises ``QueryRefused``, ``StoreUnavailable``."""
    ways = _ways(asked, reporter)
    laid = _laid(asked, ways)
    c = laid.c
    people = sa.func.count(sa.distinct(c["person"]))
    nodes = (
        sa.select(c["step"], c["label"], people.label("people"))
        .where(c["label"] != "")
        .group_by(c["step"], c["label"])
        .subquery("nodes")
    )
    place = sa.func.row_number().over(
        partition_by=nodes.c["step"], order_by=[nodes.c["people"].desc(), nodes.c["label"]]
    )
    ranked = sa.select(*nodes.c, place.label("place")).subquery("ranked")
    kept = [
        (int(step), str(label))
        for step, label, _, _ in reporter.run(sa.select(*ranked.c).where(ranked.c["place"] <= asked.limit))
    ]
    here = _named(c["step"], c["label"], kept, 0, asked.steps)
    there = sa.case((c["label"] == "", "-"), else_=_named(c["step"] + 1, c["following"], kept, 0, asked.steps))
    named = sa.select(c["person"], c["step"], here.label("here"), there.label("there")).subquery("named")
    n = named.c
    found_nodes = reporter.run(
        sa.select(n["step"], n["here"], sa.func.count(sa.distinct(n["person"]))).group_by(n["step"], n["here"])
    )
    found_links = reporter.run(
        sa.select(n["step"], n["here"], n["there"], sa.func.count(sa.distinct(n["person"])))
        .where(n["step"] < asked.steps - 1, n["there"] != "-")
        .group_by(n["step"], n["here"], n["there"]),
        show=True,
    )
    total = reporter.run(sa.select(sa.func.count(sa.distinct(ways.c["person"]))))[0][0]
    definitions = {
        "people": "Distinct people who passed a node, or went from one to the next, in one of their "
        f"{'visits' if asked.unit == 'visit' else 'ways'}. One who goes there twice counts once. Repeats of a step in "
        "a row are one step.",
    }
    made = [_node(int(step), str(label), int(count)) for step, label, count in found_nodes if count]
    made.sort(key=lambda one: (one.step, one.what in ("other", "end"), -one.people, one.id))
    links = [
        Link(_id(int(step), str(here_)), _id(int(step) + 1, str(there_)), int(count))
        for step, here_, there_, count in found_links
    ]
    links.sort(key=lambda one: (int(one.source.split(":", 1)[0]), -one.people, one.source, one.target))
    return JourneysAnswer(int(total), made, links, reporter.meta(asked.question, definitions), query)


def _ways(asked: Journeys, reporter: Reporter) -> sa.Subquery:
    """A row per place where a way begins: ``person`` and the labels ``l0``, ``l1``, …; ``''``: it is over."""
    period = asked.question.period
    span = (period.start, period.end)
    taken = [Taken(KINDS[kind], (), 1, span, named=False) for kind in asked.kinds]
    if asked.anchor is not None:
        taken.append(Taken(asked.anchor.base, asked.anchor.filters, 2, span, bool(asked.anchor.name)))
    stream = Stream(
        asked.unit, tuple(taken), asked.question.span, asked.question.filters, lambda base, columns: _label(
            asked, base, columns),
    )  # fmt: skip
    rows_of = select(stream, reporter.figures)
    reporter.note(stream.apart)
    c = rows_of.c
    is_anchor = c["is_2"] if asked.anchor is not None else Whole(sa.literal_column("0"))
    source = sa.select(
        c["unit"], c["person"], c["ms"], c["id"], c["value"].label("label"), is_anchor.label("anchors")
    ).subquery("steps_of_ways")
    s = source.c
    forwards = asked.direction == "forwards"
    order = [s[name] if forwards else s[name].desc() for name in ("ms", "id", "label")]
    before = sa.func.max(s["label"]).over(partition_by=s["unit"], order_by=order, rows=(-1, -1))
    sides = sa.select(*s, sa.func.coalesce(before, "").label("before")).subquery("sides_of_ways")
    # a run of equal steps is one step, an anchor where one of them is
    changes = sa.case((sides.c["label"] != sides.c["before"], 1), else_=0)
    order = [sides.c[name] if forwards else sides.c[name].desc() for name in ("ms", "id", "label")]
    run = Whole(sa.func.sum(changes).over(partition_by=sides.c["unit"], order_by=order, rows=(None, 0)))
    runs = sa.select(sides.c["unit"], sides.c["person"], sides.c["label"], sides.c["anchors"], run.label("run"))
    runs_of = runs.subquery("runs")
    keys = [runs_of.c["unit"], runs_of.c["run"]]
    compact = (
        sa.select(*keys, *(sa.func.max(runs_of.c[name]).label(name) for name in ("person", "label", "anchors")))
        .group_by(*keys)
        .subquery("compact")
    )
    k = compact.c
    ahead = [
        sa.func.coalesce(
            sa.func.max(k["label"]).over(partition_by=k["unit"], order_by=k["run"], rows=(by, by)), ""
        ).label(f"l{by}")
        for by in range(1, asked.steps)
    ]
    ways = sa.select(k["person"], k["run"], k["anchors"], k["label"].label("l0"), *ahead).subquery("all_ways")
    begins = ways.c["anchors"] == 1 if asked.anchor is not None else ways.c["run"] == 1
    columns = [ways.c["person"], *(ways.c[f"l{by}"] for by in range(asked.steps))]
    return sa.select(*columns).where(begins, ways.c["person"] != "").subquery("ways")


def _label(asked: Journeys, base: Base, columns: Columns) -> sa.ColumnElement[Any]:
    if base is EVENTS:
        return sa.func.concat("event:", Plain(columns("events", "event_name")))
    if base is CONVERSIONS:
        return sa.func.concat("goal:", Plain(columns("conversions", "goal")))
    if asked.group == "content_group":
        return sa.func.concat("page:", Plain(columns("page_views", "content_group")))
    path = Plain(columns("page_views", "page_path"))
    return sa.func.concat("page:", FirstFolder(path) if asked.group == "folder" else path)


def _laid(asked: Journeys, ways: sa.Subquery) -> sa.Subquery:
    """One row per way and step of it: ``person``, ``step``, ``label``, ``following``; the last one has label ``''``."""
    parts: list[sa.Select[Any]] = [sa.select(sa.literal_column(str(step)).label("step")) for step in range(asked.steps)]
    steps = sa.union_all(*parts).subquery("numbers")
    labels = [ways.c[f"l{by}"] for by in range(asked.steps)]
    label = sa.case(*((steps.c["step"] == step, one) for step, one in enumerate(labels)), else_="")
    following = sa.case(*((steps.c["step"] == step, one) for step, one in enumerate(labels[1:])), else_="")
    before = sa.case(*((steps.c["step"] == step, one) for step, one in enumerate(labels[:-1], 1)), else_="-")
    every = sa.select(
        ways.c["person"], Whole(steps.c["step"]).label("step"), label.label("label"), following.label("following"),
        before.label("before"),
    ).select_from(ways.join(steps, sa.true()))  # fmt: skip
    laid = every.subquery("laid")
    # after the end there is nothing more
    return (
        sa.select(*(laid.c[name] for name in ("person", "step", "label", "following")))
        .where(sa.or_(laid.c["label"] != "", laid.c["before"] != ""))
        .subquery("steps")
    )


def _named(
    step: sa.ColumnElement[Any], label: sa.ColumnElement[Any], kept: list[tuple[int, str]], least: int, most: int
) -> sa.ColumnElement[Any]:
    """The label, or ``other:`` for those that are not told."""
    tests = []
    for number in range(least, most):
        names = [name for at, name in kept if at == number]
        if names:
            among = label.in_([sa.bindparam(None, name, sa.String()) for name in names])
            tests.append((sa.and_(step == number, among), label))
    return sa.case((label == "", "end:"), *tests, else_="other:")


def _node(step: int, label: str, people: int) -> Node:
    what, name = label.split(":", 1)
    kinds: dict[str, Any] = {one: one for one in ("page", "event", "goal", "other", "end")}
    return Node(_id(step, label), step, kinds[what], name, people)


def _id(step: int, label: str) -> str:
    return f"{step}:{label}"
