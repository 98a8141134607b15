"""The schema catalogue: reading, checking, comparing, publishing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from snowgauge.actions import schemas
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors

router = APIRouter(prefix="/schemas", tags=["schemas"])


class Given(BaseModel):
    document: dict[str, Any]


class Examples(BaseModel):
    """``uri``: what the schema is to be. ``examples``: data, or self-describing JSON."""

    uri: str = Field(max_length=500)
    examples: list[Any] = Field(min_length=1, max_length=1_000)


class Pair(BaseModel):
    before: dict[str, Any]
    after: dict[str, Any]


@router.get("", dependencies=[needs("read:schemas")])
def catalogue(parts: Parts) -> list[schemas.CatalogueEntry]:
    """Every schema there is, with what uses it."""
    return schemas.catalogue(parts)


@router.get("/{vendor}/{name}/{version}", dependencies=[needs("read:schemas")])
def view(parts: Parts, vendor: str, name: str, version: str) -> schemas.SchemaView:
    """One schema, readable."""
    return schemas.view(parts, schemas.parse(vendor, name, version))


@router.post("/check", dependencies=[needs("read:schemas")])
def check(given: Given) -> list[schemas.Remark]:
    """What is wrong, or unwise, about a schema."""
    return schemas.check(given.document)


@router.post("/compare", dependencies=[needs("read:schemas")])
def compare(given: Pair) -> schemas.Comparison:
    """What changed between two schemas, and whether that breaks data that was valid."""
    return schemas.compare(given.before, given.after)


@router.get("/infer", dependencies=[needs("read:events")])
def infer(parts: Parts, cause: str, uri: str | None = None) -> dict[str, Any]:
    """A draft that the data of one cause's failed events fit. Look it over before publishing."""
    return schemas.infer_from_failures(parts, cause, uri)


@router.post("/infer", dependencies=[needs("read:schemas")])
def infer_from_examples(given: Examples) -> dict[str, Any]:
    """A draft that all examples fit. Look it over before publishing."""
    return schemas.infer_from_examples(given.uri, given.examples)


@router.post("/publish", status_code=201, dependencies=[needs("write:schemas")])
def publish(given: Given, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> schemas.Publication:
    """Put a schema into this deployment's registry. The pipeline sees it within seconds."""
    done = schemas.publish_local(parts, given.document)
    doors.access.record(who, "publish schema", done.uri, ip=address(request))
    return done
