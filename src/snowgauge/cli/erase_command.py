"""`snowgauge erase`: one person, everywhere."""

from __future__ import annotations

import getpass
import json
import time
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from snowgauge.cli.context import JsonOption, err, out, settings_of, table
from snowgauge.errors import SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.actions.lifetime.erasing import Erasing, Identifier, Order, Plan, Report

UserIdOption = Annotated[list[str] | None, typer.Option("--user-id", help="Value of user_id. May be repeated.")]
DomainUserIdOption = Annotated[
    list[str] | None, typer.Option("--domain-userid", help="First-party cookie id. May be repeated.")
]
NetworkUserIdOption = Annotated[
    list[str] | None, typer.Option("--network-userid", help="Collector's cookie id. May be repeated.")
]
IpOption = Annotated[list[str] | None, typer.Option("--ip", help="IP address, as it was stored. May be repeated.")]
EmailOption = Annotated[
    list[str] | None, typer.Option("--email", help="E-mail address, wherever it stands. May be repeated.")
]
AnywhereOption = Annotated[
    list[str] | None,
    typer.Option("--anywhere", help="A whole word in any text, such as an account number. May be repeated."),
]


def register(app: typer.Typer) -> None:
    app.command("erase")(erase)


def identifiers(
    user_id: list[str] | None,
    domain_userid: list[str] | None,
    network_userid: list[str] | None,
    ip: list[str] | None,
    email: list[str] | None,
    anywhere: list[str] | None,
) -> list[Identifier]:
    given = {"user_id": user_id, "domain_userid": domain_userid, "network_userid": network_userid, "ip": ip,
             "email": email, "word": anywhere}  # fmt: skip
    return [(kind, value) for kind, values in given.items() for value in values or ()]


def erase(
    ctx: typer.Context,
    user_id: UserIdOption = None,
    domain_userid: DomainUserIdOption = None,
    network_userid: NetworkUserIdOption = None,
    ip: IpOption = None,
    email: EmailOption = None,
    anywhere: AnywhereOption = None,
    expand: Annotated[
        bool, typer.Option("--expand", help="Also every user_id and domain_userid seen on the same events, once.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it. Without this the plan is shown and nothing changes.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Who asks for it, for the report. Default: the system's user.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, for the report: a ticket's number for instance.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Finish erasures that broke off.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase one person from events, failed and incomplete events, the event log and what waits to be stored.

    Shows first what would go. With `--yes` it goes, and a tombstone keeps recovery, imports and restored backups from
    bringing it back; the report stays in `privacy/erasures` of the data folder. See the guide on privacy.

    Example: `snowgauge erase --user-id ann --email ann@example.com`
    """
    from snowgauge.pipeline.lifetime import erasing, opened

    given = identifiers(user_id, domain_userid, network_userid, ip, email, anywhere)
    with opened(settings_of(ctx)) as (settings, store):
        action = erasing(settings, store)
        if resume:
            _resume(action, as_json)
            return
        plan = action.plan(given, progress_lines("looking"))
        if expand:
            given += [(kind, value) for kind, value, _ in plan.seen_with if kind in ("user_id", "domain_userid")]
            plan = action.plan(given, progress_lines("looking"))
        if not yes:
            _show_plan(plan, as_json)
            err.print("nothing was changed: add --yes to erase this")
            return
        order = action.order(given, at=int(time.time() * 1000), by=by or getpass.getuser(), reason=reason)
        _show_report(_carry_out(action, order), as_json)


def _resume(action: Erasing, as_json: bool) -> None:
    orders = action.unfinished()
    if not orders:
        err.print("no erasure is unfinished")
    for order in orders:
        _show_report(_carry_out(action, order), as_json)


def _carry_out(action: Erasing, order: Order) -> Report:
    try:
        return action.carry_out(order, time.time, progress_lines("erasing"))
    except SnowgaugeError:
        err.print(f"erasure {order.id} is not finished: run `snowgauge erase --resume` when the cause is gone")
        raise


class _Progress:
    """A line now and then, not one per item."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._next = time.monotonic() + 2

    def __call__(self, where: str, count: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 2
            err.print(f"[dim]{self._verb}: {where}, {count:,} found[/]")


def progress_lines(verb: str) -> _Progress:
    """Progress for a person who watches: a line every two seconds."""
    return _Progress(verb)


def _show_plan(plan: Plan, as_json: bool) -> None:
    from snowgauge.events.timestamps import iso_text

    if as_json:
        out.print_json(json.dumps(msgspec.to_builtins(plan)))
        return
    rows = [
        (
            count.place,
            f"{count.items:,}",
            "" if count.first is None else iso_text(count.first),
            "" if count.last is None else iso_text(count.last),
            ", ".join(f"{kind} {n:,}" for kind, n in sorted(count.by.items())),
        )
        for count in plan.places
    ]
    out.print(table(("where", "items", "first", "last", "found by"), rows))
    if plan.seen_with:
        out.print(table(("also seen on these events", "value", "events"), plan.seen_with[:20]))
        err.print("[dim]not included: name them too, or add --expand, if they are the same person[/]")


def _show_report(report: Report, as_json: bool) -> None:
    if as_json:
        out.print_json(msgspec.json.encode(report).decode())
        return
    rows = [(taken.place, f"{taken.removed:,}", f"{taken.changed:,}") for taken in report.taken]
    out.print(table(("where", "removed", "kept without the person's part"), rows, title=f"erasure {report.id}"))
    for note in dict.fromkeys(note for taken in report.taken for note in taken.notes):
        out.print(f"note: {note}", soft_wrap=True)
