"""`snowgauge model`."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from snowgauge.cli.context import JsonOption, err, out, settings_of, table


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Modelled tables: visits, page views, people, goals.", no_args_is_help=True)
    group.command("status")(status)
    group.command("rebuild")(rebuild)
    group.command("explain")(explain)
    app.add_typer(group, name="model")


def status(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show how far the modelled tables are.

    Example: `snowgauge model status`
    """
    from snowgauge.actions import modelling
    from snowgauge.events.timestamps import iso_text
    from snowgauge.pipeline.modelling import opened_model

    with opened_model(settings_of(ctx)) as (_, store):
        found = modelling.status(store)
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
        return
    rows = [
        ("modelled until", "never yet" if found.modelled_until is None else iso_text(found.modelled_until)),
        ("behind by", "" if found.lag_seconds is None else f"{found.lag_seconds:.0f} s"),
        ("modelled by", found.holder or "no process: does `snowgauge serve` run?"),
        ("version of the definitions", found.definitions),
        ("rebuild", "none under way" if found.rebuild_day is None else f"under way, next {found.rebuild_day}"),
        ("waiting to be made again", found.waiting),
        ("sessions given up", found.quarantined),
        ("last failure", found.error or "none"),
    ]
    out.print(table(("what", "is"), rows))


def rebuild(
    ctx: typer.Context,
    now: Annotated[
        bool, typer.Option("--now", help="Do it here and wait for it, rather than leave it to the running deployment.")
    ] = False,
) -> None:
    """Make every day of the modelled tables again, the newest first. Figures stay readable; each day changes at once.

    Example: `snowgauge model rebuild`
    """
    from snowgauge.events.timestamps import iso_text
    from snowgauge.modelling.application_book import ApplicationBook
    from snowgauge.modelling.events import DAY_MS
    from snowgauge.modelling.modeller import Modeller
    from snowgauge.pipeline.modelling import opened_model

    with opened_model(settings_of(ctx)) as (settings, store):
        book = ApplicationBook(store, settings.modelling.applications)
        modeller = Modeller(store, book.applications)
        if now:
            modeller.run()
        modeller.begin_rebuild()
        days = 0
        while now and (day := modeller.state.read().rebuild_day) is not None:
            modeller.rebuild_next()
            days += 1
            err.print(f"[dim]{iso_text(day * DAY_MS)[:10]}[/]")
    out.print(f"{days:,} days made again" if now else "the running deployment makes every day again, the newest first")


def explain(
    ctx: typer.Context,
    session: Annotated[str, typer.Argument(help="Id of the visit: `session_id` in derived.sessions.")],
    as_json: JsonOption = False,
) -> None:
    """Show which events made a visit's row, and what each of them did.

    Example: `snowgauge model explain 1b0b4dc5-6a1d-4d6e-9f64-5b1e5f6f2d1c`
    """
    from snowgauge.actions import modelling
    from snowgauge.events.timestamps import iso_text
    from snowgauge.modelling.application_book import ApplicationBook
    from snowgauge.pipeline.modelling import opened_model

    with opened_model(settings_of(ctx)) as (settings, store):
        book = ApplicationBook(store, settings.modelling.applications)
        found = modelling.explain(store, session, book.applications())
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
        return
    row = found.session
    shown = ("app_id", "person_id", "channel", "source", "views", "engaged_s", "duration_s", "events", "interactions",
             "is_bounce", "conversions", "revenue", "is_bot")  # fmt: skip
    out.print(table(("column", "value"), [(name, row[name]) for name in shown], title=f"visit {session}"))
    events = [(iso_text(e.t), e.event_name, e.page_path, "; ".join(e.did), e.event_id) for e in found.events]
    out.print(table(("time", "event", "page", "what it did", "event_id"), events))
    for note in found.notes:
        err.print(f"[dim]{note}[/]")
