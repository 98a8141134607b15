"""`snowgauge failed`: what failed and why, and how it becomes good."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from snowgauge.cli import failed_repair
from snowgauge.cli.context import err, out, settings_of, table
from snowgauge.cli.failed_report import Teller, cell, json_line, json_text, pretty, print_totals, progress

if TYPE_CHECKING:
    from snowgauge.actions.failed.recover import Report, Totals
    from snowgauge.actions.failed.runs import Plan, Runs
    from snowgauge.actions.failed.where import Choice
    from snowgauge.settings.model import Settings

_PANEL_SELECT, _PANEL_EDIT = "Which events", "What to change in them"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Failed events: why they failed, and making them good.", no_args_is_help=True)
    group.command("groups")(show_groups)
    group.command("list")(show_list)
    group.command("show")(show_one)
    group.command("recover")(recover_command)
    group.command("runs")(show_runs)
    failed_repair.register(group)
    app.add_typer(group, name="failed")


def _many(name: str, text: str, *more: str) -> Any:
    return typer.Option(name, *more, help=text, rich_help_panel=_PANEL_SELECT)


GroupOption = Annotated[list[str] | None, _many("--group", "Id of a group, as `failed groups` shows it. Repeatable.")]
TypeOption = Annotated[list[str] | None, _many("--type", "Failure type, such as schema_violations. Repeatable.")]
AppOption = Annotated[list[str] | None, _many("--app-id", "Application. Repeatable.")]
SchemaOption = Annotated[
    list[str] | None,
    _many("--schema", "URI of the schema at fault; as FROM=TO (with `*` for parts of FROM's version) it is an edit: "
          "events that name FROM are made to name TO. Repeatable."),
]  # fmt: skip
OnlySchemaOption = Annotated[list[str] | None, _many("--schema", "URI of the schema at fault. Repeatable.")]
IdOption = Annotated[list[str] | None, _many("--id", "Id of one failed event. Repeatable.")]
SinceOption = Annotated[str | None, _many("--since", "Collected at or after this time (UTC), such as 2024-05-01.")]
UntilOption = Annotated[str | None, _many("--until", "Collected before this time (UTC).")]
WhereOption = Annotated[
    list[str] | None,
    _many("--where", "COLUMN=VALUE, COLUMN!=VALUE or COLUMN~PART; for recover also a PATH into the event. Repeatable."),
]
StatusOption = Annotated[list[str] | None, _many("--status", "open (the default), recovered, dropped or all.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON lines, for programs.")]
LimitOption = Annotated[int, typer.Option(min=1, help="Maximum rows.")]


def _choice(status: list[str] | None, **given: Any) -> Choice:
    from snowgauge.actions.failed.where import Choice

    chosen = [] if status and "all" in status else status or ["open"]
    return Choice(status=chosen, **{name: value for name, value in given.items() if value})


def show_groups(
    ctx: typer.Context,
    failure_type: TypeOption = None,
    schema: OnlySchemaOption = None,
    app_id: AppOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    where: WhereOption = None,
    status: StatusOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Failed events by cause, the largest groups first, each with examples.

    A group is one type, schema, reason (without numbers, ids and quoted values) and application.

    Example: `snowgauge failed groups --since 2024-05-01`
    """
    from snowgauge.actions.failed import groups as grouping
    from snowgauge.pipeline.build import open_store

    choice = _choice(status, type=failure_type, schema=schema, app_id=app_id, since=since, until=until, where=where)
    store = open_store(settings_of(ctx))
    try:
        found = grouping.groups(store, choice, limit=limit)
    finally:
        store.close()
    if as_json:
        for one in found:
            json_line(one)
        return
    rows = [
        (g.id, g.count, g.failure_type, g.schema, g.message, g.app_id, g.tracker, g.first[:19], g.last[:19],
         g.examples[0])
        for g in found
    ]  # fmt: skip
    columns = ("group", "events", "type", "schema", "reason", "app", "tracker", "first", "last", "example")
    out.print(table(columns, [tuple(map(cell, row)) for row in rows]))


def show_list(
    ctx: typer.Context,
    group: GroupOption = None,
    failure_type: TypeOption = None,
    schema: OnlySchemaOption = None,
    app_id: AppOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    where: WhereOption = None,
    status: StatusOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Failed events, the newest first.

    Example: `snowgauge failed list --type schema_violations --limit 10`
    """
    from snowgauge.actions.failed import groups as grouping
    from snowgauge.pipeline.build import open_store

    choice = _choice(
        status, group=group, type=failure_type, schema=schema, app_id=app_id, since=since, until=until, where=where
    )
    store = open_store(settings_of(ctx))
    try:
        found = grouping.listed(store, choice, limit=limit)
    finally:
        store.close()
    if as_json:
        for one in found:
            json_line(one)
        return
    rows = [
        (r.id, r.cause, r.collector_tstamp or r.failed_at, r.failure_type, r.app_id, r.message, r.status, r.attempts)
        for r in found
    ]
    columns = ("id", "group", "time", "type", "app", "reason", "status", "tries")
    out.print(table(columns, [tuple(map(cell, row)) for row in rows]))


def show_one(
    ctx: typer.Context,
    failed_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a failed event.")],
    as_json: JsonOption = False,
) -> None:
    """One failed event in full: the request, its parameters parsed, what is wrong and where, and what to do about it.

    Example: `snowgauge failed show 0b6f6e0e-6c8e-5f0e-9d5e-2f5a8f1f7c11`
    """
    from rich.syntax import Syntax
    from rich.text import Text

    from snowgauge.actions.failed import groups as grouping
    from snowgauge.pipeline.build import open_iglu, open_store

    settings = settings_of(ctx)
    store = open_store(settings)
    try:
        resolver, validator = open_iglu(settings)
        shown = grouping.show(store, resolver, failed_id, validator)
    finally:
        store.close()
    if as_json:
        json_line(shown)
        return
    row = shown.row
    facts = [
        ("id", row.id), ("group", row.cause), ("type", row.failure_type), ("reason", row.message),
        ("schema", row.schema), ("application", row.app_id), ("tracker", row.tracker), ("event id", row.event_id),
        ("collected", row.collector_tstamp), ("failed", row.failed_at), ("status", row.status), ("tries", row.attempts),
        ("last try", row.attempted_at), ("its outcome", row.attempt_message), ("by run", row.recovery_run),
        ("became", row.recovered_into),
    ]  # fmt: skip
    out.print(table(("", ""), [(name, cell(value)) for name, value in facts if value not in (None, "")]))
    for fault in shown.faults:
        out.print(f"\n[bold]{fault.kind}[/]", end=" ")
        out.print(Text(fault.message))
        lines = [("schema", fault.schema), ("path", fault.path), ("edit path", fault.place),
                 ("value", "nothing" if fault.absent else json_text(fault.value)),
                 ("rule", None if fault.rule is None else json_text(fault.rule))]  # fmt: skip
        out.print(table(("", ""), [(name, cell(value)) for name, value in lines if value is not None]))
    out.print("\n[bold]cure[/]")
    for cure in shown.cures:
        out.print(Text(cure.text))
        for command in cure.commands:
            out.print(Text(f"  {command}"))
    if shown.not_replayable:
        out.print(Text(f"cannot be replayed: {shown.not_replayable}"))
    if shown.document is not None:
        out.print("\n[bold]event[/] (as edits see it)")
        out.print(Syntax(pretty(shown.document), "json", background_color="default", word_wrap=True))
    if shown.request is not None:
        out.print("\n[bold]request[/] (as received)")
        out.print(Syntax(pretty(msgspec.to_builtins(shown.request)), "json", background_color="default"))


def _edit(name: str, text: str) -> Any:
    return typer.Option(name, help=text, rich_help_panel=_PANEL_EDIT)


def recover_command(
    ctx: typer.Context,
    group: GroupOption = None,
    failure_type: TypeOption = None,
    schema: SchemaOption = None,
    app_id: AppOption = None,
    failed_id: IdOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    where: WhereOption = None,
    rename: Annotated[list[str] | None, _edit("--rename", "PATH=NAME: give a property another name.")] = None,
    unset: Annotated[list[str] | None, _edit("--unset", "PATH: remove a property or an element.")] = None,
    replace: Annotated[
        list[str] | None, _edit("--replace", "PATH=OLD=>NEW: where the value is OLD, make it NEW; both JSON, or text.")
    ] = None,
    cast: Annotated[
        list[str] | None, _edit("--cast", "PATH=TYPE: to integer, number, string, boolean, array or json.")
    ] = None,
    default: Annotated[list[str] | None, _edit("--default", "PATH=VALUE: set it where it is missing or null.")] = None,
    set_: Annotated[list[str] | None, _edit("--set", "PATH=VALUE: set it; the value is JSON, or else text.")] = None,
    python: Annotated[
        Path | None, _edit("--python", "File with a function recover(event) that changes the event; False: leave it.")
    ] = None,
    config: Annotated[
        Path | None, _edit("--config", "A configuration of Snowplow's event recovery, used unchanged.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; show each event before and after.")
    ] = False,
    show: Annotated[int, typer.Option(min=0, help="How many events a dry run shows.")] = 10,
    resume: Annotated[str | None, typer.Option(help="Go on with a run that broke off.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Without a selection: all open failed events.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Replay failed events, changed if wanted, and store what is good now. Safe to repeat: nothing is stored twice.

    Edits are made in the order schema, rename, unset, replace, cast, default, set, python. Paths begin with event,
    contexts, parameters or payload: event.data.quantity, contexts[com.acme/user].data.id, parameters.aid, payload.body.

    Example: `snowgauge failed recover --group 3f2a9c01d7 --cast event.data.quantity=integer --dry-run`
    """
    from snowgauge.actions.failed.edits import EditOptions
    from snowgauge.actions.failed.recover import new_run
    from snowgauge.actions.failed.runs import Plan, Runs
    from snowgauge.actions.failed.where import Choice
    from snowgauge.pipeline.build import open_kept

    settings = settings_of(ctx)
    runs = Runs(open_kept(settings))
    if resume is not None:
        plan = runs.load(resume)
    else:
        edits = [text for text in schema or () if "=" in text]
        choice = _choice(None, group=group, type=failure_type, schema=[s for s in schema or () if "=" not in s],
                         app_id=app_id, id=failed_id, since=since, until=until, where=where)  # fmt: skip
        if choice == Choice() and not every and config is None:
            raise typer.BadParameter("say which events: --group, --type, --schema, --app-id, --where …, or --all")
        now = datetime.now(UTC)
        options = EditOptions(edits, rename or [], unset or [], replace or [], cast or [], default or [], set_ or [],
                              None if python is None else str(python.absolute()))  # fmt: skip
        plan = Plan(new_run(now), int(now.timestamp() * 1000), choice, options,
                    None if config is None else str(config.absolute()))  # fmt: skip
    _carry_out(settings, runs, plan, dry_run=dry_run, show=show, as_json=as_json)


def _carry_out(settings: Settings, runs: Runs, plan: Plan, *, dry_run: bool, show: int, as_json: bool) -> None:
    from snowgauge.actions.failed.recover import recover
    from snowgauge.actions.failed.recovery_config import read_config
    from snowgauge.actions.failed.replay import Replayer
    from snowgauge.pipeline import lifetime
    from snowgauge.pipeline.build import open_store
    from snowgauge.pipeline.enriching import Enriching

    edits = plan.edits.edits()
    config = None if plan.config is None else read_config(Path(plan.config))
    conditions = plan.choice.conditions()
    selection = plan.choice.selection()
    store = open_store(settings)
    enriching = Enriching(settings, os.environ)
    try:
        replayer = Replayer(enriching.enricher, edits, config=config, conditions=conditions)
        teller = Teller(show if dry_run else 0, as_json=as_json)

        def run(tell: Callable[[Report], None]) -> Totals:
            return recover(
                store,
                replayer,
                selection,
                run=plan.run,
                at=plan.at,
                dry_run=dry_run,
                tell=tell,
                gate=lifetime.gate(settings).storing,
                erasures=lifetime.erased(settings, store),
            )

        if dry_run:
            totals = run(teller)
        else:
            with runs.alone():
                runs.save(plan)
                err.print(f"run {plan.run} (to go on after a break: --resume {plan.run})", highlight=False)
                with progress(store.count("failed", selection)) as advance:

                    def tell(report: Report) -> None:
                        teller(report)
                        advance()

                    totals = run(tell)
                runs.save(msgspec.structs.replace(plan, totals=totals))
    finally:
        enriching.close()
        store.close()
    print_totals(totals, teller.lost, dry_run=dry_run, as_json=as_json)


def show_runs(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Recovery runs, the newest first, with what they did; one without totals broke off.

    Example: `snowgauge failed runs`
    """
    from snowgauge.actions.failed.runs import Runs
    from snowgauge.pipeline.build import open_kept

    plans = [plan for plan in Runs(open_kept(settings_of(ctx))).all() if not plan.dry_run]
    if as_json:
        for plan in plans:
            json_line(plan)
        return
    rows = []
    for plan in plans:
        asked = msgspec.to_builtins(plan.choice) | plan.edits.given()
        done = plan.totals
        rows.append(
            (plan.run, cell(json_text(asked)), *((done.recovered, done.failed) if done is not None else ("?", "?")))
        )
    out.print(table(("run", "asked", "recovered", "failed"), rows))
