"""Visits, pages, goals and events as figures: the query that everything else is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, RootModel

from snowgauge.actions.analytics import asking, people
from snowgauge.analytics.answer import AnalyticsAnswer
from snowgauge.analytics.definitions import Definitions, definitions
from snowgauge.analytics.live import Live
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.shape import schema
from snowgauge.analytics.visits import PersonSeen, Visit
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors
from snowgauge.api.waiting import WHILE_WAITED_FOR

router = APIRouter(prefix="/analytics", tags=["analytics"])
_LONGEST = 200_000


class AnalyticsQuestion(RootModel[dict[str, Any]]):
    """A question: see the guide to analytics."""

    model_config = ConfigDict(json_schema_extra=lambda given: given.update(schema()))


class File(BaseModel):
    """A question, and what its file is called."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")
    question: AnalyticsQuestion


class Files(BaseModel):
    files: list[File] = Field(min_length=1, max_length=100)

    def questions(self) -> dict[str, dict[str, Any]]:
        """By the name of the file."""
        return {file.name: file.question.root for file in self.files}


Text = Annotated[str, Query(max_length=_LONGEST, description="A question, as JSON.")]
App = Annotated[list[str], Query(description="Applications; without any: all.")]


@router.post("/query", dependencies=[needs("read:aggregates", by_application=True), WHILE_WAITED_FOR])
def query(parts: Parts, who: Caller, asked: AnalyticsQuestion) -> AnalyticsAnswer:
    """Answer a question. What makes no sense is refused with 422 and the place in the question."""
    return asking.ask(parts, asked.root, who)


@router.get("/csv", dependencies=[needs("read:aggregates", by_application=True)])
def as_csv(parts: Parts, who: Caller, question: Text) -> StreamingResponse:
    """The answer as CSV, with all rows. No cell begins like a formula."""
    headers = {"content-disposition": 'attachment; filename="analytics.csv"'}
    return StreamingResponse(asking.as_csv(parts, question_of(question), who), media_type="text/csv", headers=headers)


@router.post("/files", dependencies=[needs("read:aggregates", by_application=True)], response_class=StreamingResponse)
def as_zip(parts: Parts, who: Caller, asked: Files) -> StreamingResponse:
    """The answers to several questions as a ZIP of CSV files. What is refused is named in its file `left-out.txt`."""
    return zipped(asking.as_zip(parts, asked.questions(), who))


@router.get("/definitions", dependencies=[needs("read:aggregates", by_application=True)])
def everything() -> Definitions:
    """Measures, dimensions, operators and periods, with words for people."""
    return definitions()


@router.get("/values", dependencies=[needs("read:aggregates", by_application=True)])
def values(
    parts: Parts,
    who: Caller,
    dimension: Annotated[str, Query(max_length=1000)],
    search: Annotated[str, Query(max_length=500, description="Text that the values hold.")] = "",
    question: Text = "{}",
    limit: Annotated[int, Query(ge=1, le=100)] = asking.SUGGESTIONS,
) -> list[asking.Suggestion]:
    """Values of a dimension to filter by, most frequent first, in the period and with the filters of a question."""
    return asking.suggest(parts, dimension, search, question_of(question), who, limit=limit)


@router.get("/live", dependencies=[needs("read:aggregates", by_application=True)])
def live(parts: Parts, who: Caller, app: App = []) -> Live:  # noqa: B006 - FastAPI copies it
    """Who is there now: distinct visitors of the last five minutes, and the last thirty minute by minute."""
    return asking.now(parts, tuple(app), who)


@router.post("/visits", dependencies=[needs("read:persons", by_application=True)])
def visits(parts: Parts, doors: TheDoors, who: Caller, request: Request, asked: AnalyticsQuestion) -> list[Visit]:
    """Single visits that meet the filters of a question, newest first."""
    doors.access.record(who, "list visits", json.dumps(asked.root.get("filters", []))[:200], ip=address(request))
    return people.visits(parts, asked.root, who)


@router.get("/persons/{person_id}", dependencies=[needs("read:persons", by_application=True)])
def person(
    parts: Parts, doors: TheDoors, who: Caller, request: Request, person_id: str, question: Text = "{}"
) -> PersonSeen:
    """What one person did in the period of a question: visits, page views and goals."""
    doors.access.record(who, "look at person", person_id[:200], ip=address(request))
    return people.person(parts, person_id, question_of(question), who)


@router.get("/profiles/{any_id}", dependencies=[needs("read:persons")])
def profile(parts: Parts, doors: TheDoors, who: Caller, request: Request, any_id: str) -> people.PersonProfile:
    """The person with this person, user or visitor ID: identities, and figures over all that is stored."""
    doors.access.record(who, "look at person", any_id[:200], ip=address(request))
    return people.profile(parts, any_id)


def zipped(pieces: Iterator[bytes]) -> StreamingResponse:
    headers = {"content-disposition": 'attachment; filename="analytics.zip"'}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def question_of(text: str) -> dict[str, Any]:
    """A question in a query string. Raises ``QuestionRefused``."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise QuestionRefused("question", "it is not JSON") from None
    if not isinstance(found, dict):
        raise QuestionRefused("question", "expected a JSON object")
    return found
