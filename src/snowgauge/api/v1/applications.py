"""Settings per application, for analytics: what its figures mean, with the history of every change."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from snowgauge.actions import modelling
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors
from snowgauge.errors import AccessRefused, ActionRefused, SettingsError
from snowgauge.modelling.application_book import ApplicationBook, Version
from snowgauge.modelling.applications import Application, read_application
from snowgauge.modelling.store import HasModelling, ModelStore

router = APIRouter(prefix="/analytics", tags=["analytics"])


class ApplicationChange(BaseModel):
    """``version``: the one that they were made from; then nobody's change in between is lost."""

    settings: dict[str, Any]
    version: int | None = Field(default=None, ge=0)


class ApplicationSettings(BaseModel):
    """``settings`` as they were given, ``complete`` with every default. ``version`` 0: nothing was ever set."""

    app_id: str
    version: int
    settings: dict[str, Any]
    complete: Application
    changed_by: str = ""
    at: int | None = None


class Applications(BaseModel):
    """``file``: where they are, if not here: then they are changed there only."""

    default: ApplicationSettings
    applications: list[ApplicationSettings]
    file: str | None


class OldVersion(BaseModel):
    version: int
    settings: dict[str, Any]
    changed_by: str
    at: int


def _model(deployment: Parts) -> ModelStore:
    if not isinstance(deployment.store, HasModelling):
        raise ActionRefused("this store has no modelled tables: use ClickHouse or PostgreSQL", status=404)
    return deployment.store.modelling()


def _book(deployment: Parts) -> ApplicationBook:
    return ApplicationBook(_model(deployment), deployment.applications_file)


Model = Annotated[ModelStore, Depends(_model)]
Book = Annotated[ApplicationBook, Depends(_book)]


@router.get("/model", dependencies=[needs("read:health")])
def model(store: Model) -> modelling.ModelStatus:
    """How far the modelled tables are."""
    return modelling.status(store)


@router.get("/applications", dependencies=[needs("read:aggregates")])
def applications(book: Book) -> Applications:
    """The settings of all applications, and those that hold for the others."""
    held = book.versions()
    return Applications(
        default=_shown("", held.get("")),
        applications=[_shown(app_id, one) for app_id, one in sorted(held.items()) if app_id],
        file=str(book.file) if book.file else None,
    )


@router.get("/defaults", dependencies=[needs("read:aggregates")])
def defaults(book: Book) -> ApplicationSettings:
    """What holds for applications without settings of their own."""
    return _shown("", book.versions().get(""))


@router.put("/defaults", dependencies=[needs("admin")])
def put_defaults(
    given: ApplicationChange, book: Book, doors: TheDoors, who: Caller, request: Request
) -> ApplicationSettings:
    """Change them. Whatever they mean for figures is made again in the background."""
    made = _put(book, "", given, who.name)
    doors.access.record(who, "application settings", "defaults", f"version {made.version}", ip=address(request))
    return made


@router.get("/applications/{app_id}", dependencies=[needs("read:aggregates", by_application=True)])
def application(app_id: str, book: Book, who: Caller) -> ApplicationSettings:
    """The settings of one application."""
    if not who.sees(app_id):
        raise AccessRefused(f"you have no access to the application {app_id[:100]!r}", status=403)
    return _shown(app_id, book.versions().get(app_id))


@router.put("/applications/{app_id}", dependencies=[needs("admin")])
def put_application(
    app_id: str, given: ApplicationChange, book: Book, doors: TheDoors, who: Caller, request: Request
) -> ApplicationSettings:
    """Change them: all at once, what is left out takes its default."""
    if len(app_id) > 255:
        raise ActionRefused(f"an app id has at most 255 characters, this one has {len(app_id)}", status=422)
    made = _put(book, app_id, given, who.name)
    doors.access.record(who, "application settings", app_id, f"version {made.version}", ip=address(request))
    return made


@router.get("/defaults/history", dependencies=[needs("read:aggregates")])
def default_history(book: Book) -> list[OldVersion]:
    """Every version of the defaults, the newest first."""
    return [_old(one) for one in book.history("")]


@router.get("/applications/{app_id}/history", dependencies=[needs("read:aggregates")])
def history(app_id: str, book: Book) -> list[OldVersion]:
    """Every version of an application's settings, the newest first."""
    return [_old(one) for one in book.history(app_id)]


def _put(book: ApplicationBook, app_id: str, given: ApplicationChange, by: str) -> ApplicationSettings:
    try:
        return _shown(app_id, book.put(app_id, given.settings, by, given.version))
    except SettingsError as error:
        raise ActionRefused(str(error), status=422) from None


def _shown(app_id: str, one: Version | None) -> ApplicationSettings:
    if one is None:
        return ApplicationSettings(app_id=app_id, version=0, settings={}, complete=Application())
    return ApplicationSettings(complete=read_application(one.settings, app_id), **msgspec.structs.asdict(one))


def _old(one: Version) -> OldVersion:
    return OldVersion(version=one.version, settings=one.settings, changed_by=one.changed_by, at=one.at)
