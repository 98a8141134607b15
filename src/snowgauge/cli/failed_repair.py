"""`snowgauge failed preview`, `mute`, `resolve`, `note`, `undo` and `rules`: what the console's repair can, too."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snowgauge.cli.context import out, print_rows, settings_of
from snowgauge.cli.failed_report import cell, json_line, json_text, pretty

if TYPE_CHECKING:
    from snowgauge.actions.deployment import Deployment
    from snowgauge.actions.failed.edits import EditOptions
    from snowgauge.actions.failed.repair.causes import CauseState
    from snowgauge.actions.failed.repair.preview import Previewed
    from snowgauge.actions.failed.repair.problems import Repair
    from snowgauge.actions.failed.repair.rules import RepairRule

_BY = "command line"
GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="Id of a group, as `failed groups` shows it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
RuleArgument = Annotated[str, typer.Argument(metavar="RULE", help="Id of a rule, as `failed rules list` shows it.")]
SchemaEdit = Annotated[list[str] | None, typer.Option("--schema", help="FROM=TO: name another schema. Repeatable.")]
RenameEdit = Annotated[list[str] | None, typer.Option("--rename", help="PATH=NAME: give a property another name.")]
UnsetEdit = Annotated[list[str] | None, typer.Option("--unset", help="PATH: remove a property or an element.")]
ReplaceEdit = Annotated[list[str] | None, typer.Option("--replace", help="PATH=OLD=>NEW: replace a value.")]
CastEdit = Annotated[list[str] | None, typer.Option("--cast", help="PATH=TYPE: to another type.")]
DefaultEdit = Annotated[list[str] | None, typer.Option("--default", help="PATH=VALUE: set it where it is missing.")]
SetEdit = Annotated[list[str] | None, typer.Option("--set", help="PATH=VALUE: set it.")]


def register(group: typer.Typer) -> None:
    """Below `snowgauge failed`."""
    group.command("preview")(preview_command)
    group.command("mute")(mute)
    group.command("resolve")(resolve)
    group.command("activate")(activate)
    group.command("note")(note)
    group.command("undo")(undo_command)
    rules = typer.Typer(help="Edits that are made automatically to failures of a group.", no_args_is_help=True)
    rules.command("list")(list_rules)
    rules.command("keep")(keep_rule)
    rules.command("on")(rule_on)
    rules.command("off")(rule_off)
    rules.command("remove")(remove_rule)
    rules.command("undo")(undo_rule)
    group.add_typer(rules, name="rules")


@contextmanager
def _deployment(ctx: typer.Context) -> Iterator[Deployment]:
    from snowgauge.pipeline.build import open_deployment

    opened = open_deployment(settings_of(ctx), os.environ)
    try:
        yield opened
    finally:
        opened.store.close()


def _record(ctx: typer.Context, action: str, subject: str, detail: str = "") -> None:
    from snowgauge.actions.access.roles import Principal
    from snowgauge.pipeline.private_port import open_access

    book = open_access(settings_of(ctx))
    try:
        book.record(Principal(_BY, "local", frozenset()), action, subject, detail)
    finally:
        book.close()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _edits(**given: list[str] | None) -> EditOptions:
    import msgspec

    from snowgauge.actions.failed.edits import EditOptions

    made = msgspec.convert({name: lines for name, lines in given.items() if lines}, EditOptions)
    made.edits()
    return made


def preview_command(
    ctx: typer.Context,
    group: GroupArgument,
    schema: SchemaEdit = None,
    rename: RenameEdit = None,
    unset: UnsetEdit = None,
    replace: ReplaceEdit = None,
    cast: CastEdit = None,
    default: DefaultEdit = None,
    set_: SetEdit = None,
    limit: Annotated[int, typer.Option(min=1, max=20, help="Maximum examples.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show what would repair a group, or what edits would make of its newest failures. Nothing is stored.

    Example: `snowgauge failed preview 3f2a9c01d7 --cast event.data.quantity=integer`
    """
    from snowgauge.actions.failed.repair.preview import preview
    from snowgauge.actions.failed.repair.problems import repair_of

    edits = _edits(schema=schema, rename=rename, unset=unset, replace=replace, cast=cast, default=default, set=set_)
    with _deployment(ctx) as deployment:
        if edits.given():
            seen = preview(deployment, group, edits, at=_now(), limit=limit)
            _print_preview(seen, as_json=as_json)
        else:
            _print_repair(repair_of(deployment, group, _now()), as_json=as_json)


def _print_preview(seen: list[Previewed], *, as_json: bool) -> None:
    if as_json:
        json_line(seen)
        return
    for one in seen:
        out.print(f"[bold]{one.verdict}[/] {one.id} {cell('; '.join(one.left) or one.reason)}")
        for change in one.changes:
            before = "nothing" if change.kind == "added" else json_text(change.before)
            after = "nothing" if change.kind == "removed" else json_text(change.after)
            out.print(f"  {cell(change.path)}: {cell(before)} -> {cell(after)}")
    if not seen:
        out.print("no open failure of this group is left")


def _print_repair(repair: Repair, *, as_json: bool) -> None:
    if as_json:
        json_line(repair)
        return
    for problem in repair.problems:
        out.print(f"[bold]{cell(problem.headline)}[/] ({problem.seen} of {repair.looked_at})")
        for offer in problem.offers:
            options = " ".join(_option(name, line) for name, lines in offer.edits.given().items() for line in lines)
            if offer.asked is not None:
                options = f"--{offer.asked.option} {offer.asked.path}=" + (
                    "OLD=>NEW" * (offer.asked.option == "replace")
                )
            helps = f" (helps {offer.helps} of {repair.tried})" if offer.helps is not None else ""
            out.print(f"  {cell(offer.title)}{helps}" + (f": {cell(options)}" if options else ""))
    out.print(cell(repair.lost or repair.advice))


def _option(name: str, line: str) -> str:
    return f"--{name} '{line}'"


def mute(
    ctx: typer.Context,
    group: GroupArgument,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="For so many days; without: until activated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Leave a group out of the lists, such as that of scanners.

    Example: `snowgauge failed mute 3f2a9c01d7 --days 30`
    """
    until = None if days is None else _now() + days * 86_400_000
    _say(ctx, group, "muted", None, until, as_json=as_json)


def resolve(ctx: typer.Context, group: GroupArgument, as_json: JsonOption = False) -> None:
    """Mark a group as resolved. It comes back when it recurs.

    Example: `snowgauge failed resolve 3f2a9c01d7`
    """
    _say(ctx, group, "resolved", None, None, as_json=as_json)


def activate(ctx: typer.Context, group: GroupArgument, as_json: JsonOption = False) -> None:
    """Show a muted or resolved group in the lists again.

    Example: `snowgauge failed activate 3f2a9c01d7`
    """
    _say(ctx, group, "active", None, None, as_json=as_json)


def note(
    ctx: typer.Context,
    group: GroupArgument,
    text: Annotated[str, typer.Argument(help="The note; empty removes it.")],
    as_json: JsonOption = False,
) -> None:
    """Write a note on a group. Its state stays as it is.

    Example: `snowgauge failed note 3f2a9c01d7 "The app team ships a fix with 5.2"`
    """
    from snowgauge.actions.failed.repair.causes import CauseWords
    from snowgauge.pipeline.build import open_kept

    known = CauseWords(open_kept(settings_of(ctx))).of(group)
    _say(ctx, group, known.state, text, known.until, as_json=as_json)


def _say(
    ctx: typer.Context, group: str, state: CauseState, text: str | None, until: int | None, *, as_json: bool
) -> None:
    from snowgauge.actions.failed.repair import service

    with _deployment(ctx) as deployment:
        made = service.say(deployment, group, state=state, note=text, until=until, by=_BY, at=_now())
    _record(ctx, f"cause {state}", group, (text or "")[:200])
    if as_json:
        json_line(made)
    else:
        out.print(f"{group} is {made.state}" + (f": {cell(made.note)}" if made.note else ""))


def undo_command(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name of a run, as `failed runs` shows it.")],
    as_json: JsonOption = False,
) -> None:
    """Take back what a recovery run stored: its events leave the store, and their failures are open again.

    Failed events that the run made of the rest of a request stay, and so does what others have read meanwhile.

    Example: `snowgauge failed undo 20240501-120000-3f2a9c`
    """
    from snowgauge.actions.failed.repair import jobs

    with _deployment(ctx) as deployment:
        jobs.undo_run(deployment, run, by=_BY, at=_now())
        while not deployment.running.wait(run, 60):
            pass
        from snowgauge.actions.failed.repair import service

        done = service.run_state(deployment, run)
    _record(ctx, "undo recovery", run)
    if as_json:
        json_line(done)
    elif done.undone is None or not done.undone.done:
        out.print(f"broke off: {cell(done.trouble)}; run it again")
        raise typer.Exit(1)
    else:
        _print_undone(vars(done.undone))


def _print_undone(undone: dict[str, Any]) -> None:
    out.print(f"{undone['events']} events taken out of the store, {undone['reopened']} failed events open again")
    if undone["kept"]:
        out.print(f"{undone['kept']} failed events stay recovered: something else had stored their events")
    if undone["new_failures"]:
        out.print(f"{undone['new_failures']} failed events that the run made of the rest of requests stay")


def list_rules(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Rules, the newest first, with what they did so far.

    Example: `snowgauge failed rules list`
    """
    from snowgauge.actions.failed.repair.rules import Rules
    from snowgauge.pipeline.build import open_kept

    found = Rules(open_kept(settings_of(ctx))).all()
    if as_json:
        json_line(found)
        return
    rows = [
        (rule.id, rule.cause, rule.headline, "on" if rule.enabled else "off", json_text(rule.edits.given()),
         rule.recovered, rule.failed, rule.by)
        for rule in found
    ]  # fmt: skip
    columns = ("rule", "group", "what fails", "state", "edits", "recovered", "failed", "by")
    print_rows(columns, [tuple(map(cell, row)) for row in rows], as_json=False)


def keep_rule(
    ctx: typer.Context,
    group: GroupArgument,
    schema: SchemaEdit = None,
    rename: RenameEdit = None,
    unset: UnsetEdit = None,
    replace: ReplaceEdit = None,
    cast: CastEdit = None,
    default: DefaultEdit = None,
    set_: SetEdit = None,
    as_json: JsonOption = False,
) -> None:
    """Make edits automatically to failures of a group from now on.

    Example: `snowgauge failed rules keep 3f2a9c01d7 --cast event.data.quantity=integer`
    """
    from snowgauge.actions.failed.repair import service

    edits = _edits(schema=schema, rename=rename, unset=unset, replace=replace, cast=cast, default=default, set=set_)
    with _deployment(ctx) as deployment:
        made = service.keep_rule(deployment, group, edits, by=_BY, at=_now())
    _record(ctx, "keep rule", made.id, made.headline[:200])
    _print_rule(made, as_json=as_json)


def rule_on(ctx: typer.Context, rule: RuleArgument, as_json: JsonOption = False) -> None:
    """Switch a rule on.

    Example: `snowgauge failed rules on rule-3f2a9c01`
    """
    _switch(ctx, rule, enabled=True, as_json=as_json)


def rule_off(ctx: typer.Context, rule: RuleArgument, as_json: JsonOption = False) -> None:
    """Switch a rule off. What it recovered stays.

    Example: `snowgauge failed rules off rule-3f2a9c01`
    """
    _switch(ctx, rule, enabled=False, as_json=as_json)


def _switch(ctx: typer.Context, rule: str, *, enabled: bool, as_json: bool) -> None:
    from snowgauge.actions.failed.repair import service

    with _deployment(ctx) as deployment:
        made = service.switch_rule(deployment, rule, enabled=enabled)
    _record(ctx, "rule on" if enabled else "rule off", rule, made.headline[:200])
    _print_rule(made, as_json=as_json)


def remove_rule(ctx: typer.Context, rule: RuleArgument, as_json: JsonOption = False) -> None:
    """Remove a rule. What it recovered stays.

    Example: `snowgauge failed rules remove rule-3f2a9c01`
    """
    from snowgauge.actions.failed.repair.rules import Rules
    from snowgauge.pipeline.build import open_kept

    gone = Rules(open_kept(settings_of(ctx))).remove(rule)
    _record(ctx, "remove rule", rule, gone.headline[:200])
    _print_rule(gone, as_json=as_json)


def undo_rule(ctx: typer.Context, rule: RuleArgument, as_json: JsonOption = False) -> None:
    """Switch a rule off and take back what it stored, as `failed undo` does for a run.

    Example: `snowgauge failed rules undo rule-3f2a9c01`
    """
    from snowgauge.actions.failed.repair import service

    with _deployment(ctx) as deployment:
        done = service.undo_rule(deployment, rule, by=_BY, at=_now())
    _record(ctx, "undo rule", rule, f"{done.events} events")
    if as_json:
        json_line(done)
    else:
        _print_undone(vars(done))


def _print_rule(rule: RepairRule, *, as_json: bool) -> None:
    if as_json:
        json_line(rule)
    else:
        out.print(f"{rule.id} ({'on' if rule.enabled else 'off'}): {cell(rule.headline)}")
        out.print(pretty(rule.edits.given()), markup=False)
