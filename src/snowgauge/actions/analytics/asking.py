"""Ask a question: the answer as values or as CSV, values to filter by, and what there is to ask for."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snowgauge.actions import spreadsheet
from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.cohorts import Cohorts
from snowgauge.actions.analytics.saved.database import SavedDatabase
from snowgauge.actions.analytics.saved.segments import Segments
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics.answer import AnalyticsAnswer, Cell, Figure
from snowgauge.analytics.dimensions import dimension
from snowgauge.analytics.engine import Engine
from snowgauge.analytics.live import Live, live
from snowgauge.analytics.measures import MEASURES
from snowgauge.analytics.periods import Calendar
from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings, read, within
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.cohorts.members import FEWEST, ByList, ByRule, lists, size
from snowgauge.analytics.reports.cohorts.rule import read_rule
from snowgauge.analytics.sql.bases import VIEWS, VISITS
from snowgauge.errors import ActionRefused
from snowgauge.modelling.application_book import ApplicationBook
from snowgauge.modelling.applications import read_application
from snowgauge.modelling.store import HasModelling

SUGGESTIONS = 25
_SECONDS = 60.0
_IN_MEMORY = 8_000_000
_SHARED = ("app", "date_range", "timezone", "week_start", "traffic")


@dataclass(frozen=True)
class Suggestion:
    """A value of a dimension and how many visits (of events: events) have it; ``None``: not set."""

    value: Cell
    count: Figure


def ask(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None = None) -> AnalyticsAnswer:
    """``who`` asks: their segments may be named. Raises ``QuestionRefused``, with the place in the question."""
    engine = _engine(deployment)
    return engine.ask(_read(deployment, engine, asked, who), dict(asked))


def as_csv(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None = None) -> Iterator[bytes]:
    """All rows, without the question's paging unless it names one. The first piece is made here, so that a refusal is
    one."""
    engine = _engine(deployment)
    without = {**asked, "include": {**_object(asked.get("include")), "coverage": False}}
    question = _read(deployment, engine, without, who)
    if "pagination" not in asked:
        question = question.unlimited()
    answer = engine.ask(question, dict(asked))
    return _lines(question, answer)


def as_zip(
    deployment: Deployment, questions: Mapping[str, Mapping[str, Any]], who: Principal | None = None
) -> Iterator[bytes]:
    """A ZIP with ``name.csv`` for each question. What is refused has no file, and a line in ``left-out.txt``."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as packed:
        refused = []
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
            for name, asked in questions.items():
                try:
                    pieces = as_csv(deployment, asked, who)
                except QuestionRefused as error:
                    refused.append(f"{name}: {error}\n")
                    continue
                with files.open(f"{name}.csv", "w") as file:
                    for piece in pieces:
                        file.write(piece)
            if refused:
                files.writestr("left-out.txt", "".join(refused))
        packed.seek(0)
        while piece := packed.read(65_536):
            yield piece


def suggest(
    deployment: Deployment,
    name: str,
    search: str,
    asked: Mapping[str, Any],
    who: Principal | None = None,
    *,
    limit: int = SUGGESTIONS,
) -> list[Suggestion]:
    """The most frequent values of a dimension that hold the text, in the period and with the filters of a question."""
    one = dimension(name, "dimension")
    by_visits = one.place(VISITS) is not None or one.place(VIEWS) is not None
    measure = "visits" if by_visits else next(
        metric for metric in ("conversions", "events", "transactions", "vitals_samples", "errors")
        if any(one.place(base) is not None for base in MEASURES[metric].parts[0].bases)
    )  # fmt: skip
    filters = list(asked.get("filters") or [])
    if search and one.kind == "text":
        filters.append(["contains", name, [search], {"case_sensitive": False}])
    question = {
        **{field: asked[field] for field in _SHARED if asked.get(field) is not None},
        "metrics": [measure], "dimensions": [name], "filters": filters, "pagination": {"limit": limit},
        "include": {"coverage": False},
    }  # fmt: skip
    answer = ask(deployment, question, who)
    return [
        Suggestion(row.dimensions[0], row.metrics[0])
        for row in answer.results
        if not search or one.kind != "text" or (row.dimensions[0] is not None and _holds(row.dimensions[0], search))
    ]


def _holds(value: Cell, search: str) -> bool:
    return search.casefold() in str(value).casefold() or search.lower() in str(value).lower()


def now(deployment: Deployment, apps: tuple[str, ...], who: Principal | None = None) -> Live:
    """Who is there now. Raises ``QuestionRefused`` for an application that ``who`` may not see."""
    apps = within(apps, who.apps if who is not None else None)
    return live(deployment.store.figures(), apps, _engine(deployment).clock())


def question_of(
    deployment: Deployment, asked: Mapping[str, Any], who: Principal | None, *, most: int | None = None
) -> Question:
    """Raises ``QuestionRefused``, also for a page of more than ``most`` rows."""
    question = _read(deployment, _engine(deployment), asked, who)
    if most is not None and question.limit > most:
        raise QuestionRefused("pagination.limit", f"at most {most} at a time, found {question.limit:,}")
    return question


def saved(deployment: Deployment) -> SavedDatabase:
    """Where people keep their segments, annotations and links."""
    return SavedDatabase(deployment.console_tables or deployment.data_dir / "console.sqlite")


def segments_of(deployment: Deployment) -> Segments:
    """What filters have a name."""
    return Segments(saved(deployment), lambda cohort_id, who: cohort_for(deployment, cohort_id, who))


def cohorts(deployment: Deployment) -> Cohorts:
    """Raises ``ActionRefused`` where the store has no modelled tables."""
    if not isinstance(deployment.store, HasModelling):
        raise ActionRefused("this store has no modelled tables: use ClickHouse or PostgreSQL", status=404)
    figures = deployment.store.figures()
    return Cohorts(saved(deployment), deployment.store.modelling(), lambda: lists(figures, seconds=_SECONDS))


def cohort_for(
    deployment: Deployment, cohort_id: str, who: Principal | None, *, hidden: bool = True
) -> ByRule | ByList | None:
    """The people of a cohort that someone may use: none for those who may see some applications only, since a cohort
    says what people do in any. ``hidden``: raises ``QuestionRefused`` where there are so few that
    its figures would tell of single people to someone who may not see them."""
    rule = cohorts(deployment).rule(cohort_id, who) if who is None or who.apps is None else None
    if rule is None:
        return None
    around = surroundings(deployment, who)
    found = ByRule(read_rule(rule, around)) if rule else ByList(cohort_id, around.now)
    if hidden and (who is None or not who.may("read:persons")):
        reporter = Reporter(deployment.store.figures(), seconds=_SECONDS)
        if size(found, reporter) < FEWEST:
            raise QuestionRefused(
                "filters", f"this cohort has fewer than {FEWEST} people, so its figures need the scope read:persons"
            )
    return found


def surroundings(deployment: Deployment, who: Principal | None) -> Surroundings:
    """What a question of someone is read against."""
    return _surroundings(deployment, _engine(deployment), who)


def _engine(deployment: Deployment) -> Engine:
    return Engine(deployment.store.figures)


def _read(deployment: Deployment, engine: Engine, asked: Mapping[str, Any], who: Principal | None) -> Question:
    return read(asked, _surroundings(deployment, engine, who))


def _surroundings(deployment: Deployment, engine: Engine, who: Principal | None) -> Surroundings:
    segments = segments_of(deployment)
    return Surroundings(
        engine.clock(),
        calendar=lambda apps: calendar(deployment, apps),
        earliest=engine.earliest,
        segment=lambda segment_id: segments.filters(segment_id, who),
        cohort=lambda cohort_id: cohort_for(deployment, cohort_id, who),
        allowed=who.apps if who is not None else None,
    )


def calendar(deployment: Deployment, apps: tuple[str, ...]) -> Calendar:
    """That of the application's settings; of several, that which holds where an application says nothing."""
    if not isinstance(deployment.store, HasModelling):
        return Calendar()
    held = ApplicationBook(deployment.store.modelling(), deployment.applications_file).versions()
    version = held.get(apps[0]) if len(apps) == 1 else None
    version = version or held.get("")
    application = read_application({} if version is None else version.settings, "")
    return Calendar(application.zone, application.week_start)


def _object(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _lines(question: Question, answer: AnalyticsAnswer) -> Iterator[bytes]:
    names = [one.name for one in question.dimensions]
    metrics = [one.name for one in question.measures]
    compared = question.comparison is not None
    added = answer.meta.imports is not None and not answer.meta.imports.left_out
    headers = [
        *(f"{name} (imported)" for name in metrics if added),
        *(f"{name} (compared)" for name in metrics if compared),
    ]
    nothing: Sequence[Figure] = [None] * len(metrics)
    yield _line([*names, *metrics, *headers])
    for row in answer.results:
        imported = (row.imported or nothing) if added else ()
        before = (row.comparison.metrics if row.comparison else nothing) if compared else ()
        yield _line([*row.dimensions, *row.metrics, *imported, *before])


def _line(cells: Sequence[Cell]) -> bytes:
    text = io.StringIO()
    shown = [spreadsheet.cell(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(text, lineterminator="\n").writerow(shown)
    return text.getvalue().encode("utf-8", "replace")
