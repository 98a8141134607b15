"""`snowgauge access`: who may use the console and its API, from the machine itself."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer

from snowgauge.actions.access.roles import Principal
from snowgauge.cli.context import JsonOption, err, out, print_json, records, settings_of, table
from snowgauge.errors import AccessRefused

if TYPE_CHECKING:
    from snowgauge.actions.access.book import AccessBook

_PEOPLE = ("person", "role", "applications", "second factor", "last login")
_INVITED = ("invited", "role", "applications", "expires")
_KEYS = ("key", "begins", "scopes", "applications", "last used")
_SHELL = Principal("command line", "local", frozenset())


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Who may use the console and its API.", no_args_is_help=True)
    group.command("add-admin")(add_admin)
    group.command("add")(add)
    group.command("invite")(invite)
    group.command("revoke-invitation")(revoke_invitation)
    group.command("limit")(limit)
    group.command("list")(show)
    group.command("password")(password)
    group.command("reset-second-factor")(reset_second_factor)
    group.command("remove")(remove)
    group.command("add-key")(add_key)
    app.add_typer(group, name="access")


NameArgument = Annotated[str, typer.Argument(help="The person's name, as typed at the login.")]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")
]
AppOption = Annotated[
    list[str] | None, typer.Option("--app", help="An app id: nothing else may be seen. May be repeated.")
]


def add_admin(ctx: typer.Context, name: NameArgument, password_stdin: PasswordOption = False) -> None:
    """Add an admin. Once there is one, everyone has to log in.

    Example: `snowgauge access add-admin ada`
    """
    from snowgauge.pipeline.private_port import open_access

    _add(open_access(settings_of(ctx)), name, "admin", _password(password_stdin))


def add(
    ctx: typer.Context,
    name: NameArgument,
    role: Annotated[str, typer.Option(help="viewer, analyst, editor or admin.")] = "viewer",
    app: AppOption = None,
    password_stdin: PasswordOption = False,
) -> None:
    """Add a user.

    Example: `snowgauge access add grace --role analyst`
    """
    from snowgauge.pipeline.private_port import open_access

    _add(open_access(settings_of(ctx)), name, role, _password(password_stdin), app or [])


def _add(book: AccessBook, name: str, role: str, secret: str, apps: Sequence[str] = ()) -> None:

    person = book.add_person(name, secret, role, apps)
    book.record(_SHELL, "add person", person.name, f"role {person.role}; applications: {_apps(person.apps)}")
    out.print(f"{person.name} may log in as {person.role}")


def invite(
    ctx: typer.Context,
    name: NameArgument,
    role: Annotated[str, typer.Option(help="viewer, analyst, editor or admin.")] = "viewer",
    app: AppOption = None,
    days: Annotated[int, typer.Option(help="For how many days the link works.", min=1, max=30)] = 7,
    url: Annotated[str, typer.Option(help="The console's address, where it is not the one of the settings.")] = "",
) -> None:
    """Invite a user by a link. It works once, and they choose the password.

    Example: `snowgauge access invite grace --role analyst`
    """
    from snowgauge.actions.access.invitations import PATH
    from snowgauge.pipeline.private_port import console_url, open_access

    settings = settings_of(ctx)
    book = open_access(settings)
    made, secret = book.invitations.add(name, role, _SHELL.name, lasts_ms=days * 86_400_000, apps=app or [])
    book.record(_SHELL, "invite person", made.name, f"role {made.role}; applications: {_apps(made.apps)}")
    err.print(f"[dim]for {made.name}, until {_day(made.expires_at)}; it is not shown again[/]")
    out.print(f"{(url or console_url(settings)).rstrip('/')}{PATH}#{secret}", markup=False)


def limit(ctx: typer.Context, name: NameArgument, app: AppOption = None) -> None:
    """Limit a person to some applications; without `--app` they see all of them again.

    Example: `snowgauge access limit grace --app shop`
    """
    from snowgauge.pipeline.private_port import open_access

    book = open_access(settings_of(ctx))
    person = book.change_person(_named(book, name), apps=app or [])
    book.record(_SHELL, "change person", person.name, f"applications: {_apps(person.apps)}")
    out.print(f"{person.name} sees {'only ' if person.apps else ''}{_apps(person.apps)}")


def revoke_invitation(ctx: typer.Context, name: NameArgument) -> None:
    """Revoke an invitation.

    Example: `snowgauge access revoke-invitation grace`
    """
    from snowgauge.pipeline.private_port import open_access

    book = open_access(settings_of(ctx))
    invited = [one.id for one in book.invitations.listed() if one.name.lower() == name.lower()]
    if not invited:
        raise AccessRefused(f"there is no invitation for {name!r}; `snowgauge access list` shows those that are open")
    revoked = book.invitations.revoke(invited[0])
    book.record(_SHELL, "revoke invitation", revoked.name)
    out.print(f"{revoked.name} can no longer accept the invitation")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise AccessRefused("no terminal to ask for a password: pipe it in and add --password-stdin")
    return cast(str, typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def show(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List people, invitations and keys.

    Example: `snowgauge access list`
    """
    from snowgauge.pipeline.private_port import open_access

    book = open_access(settings_of(ctx))
    people = [
        (person.name, person.role, _apps(person.apps), "on" if person.second_factor else "off", _day(person.last_login))
        for person in book.people()
    ]
    invited = [(one.name, one.role, _apps(one.apps), _day(one.expires_at)) for one in book.invitations.listed()]
    issued = book.keys()
    keys = [(key.name, key.hint, " ".join(key.scopes), _apps(key.apps), _day(key.last_used)) for key in issued]
    if as_json:
        print_json(
            {
                "people": records(_PEOPLE, people),
                "invitations": records(_INVITED, invited),
                "keys": records(_KEYS, keys),
            }
        )
        return
    out.print(table(_PEOPLE, people))
    for columns, rows in ((_INVITED, invited), (_KEYS, keys)):
        if rows:
            out.print()
            out.print(table(columns, rows))


def _apps(apps: Sequence[str]) -> str:
    return " ".join(apps) or "all"


def _day(at: int | None) -> str:
    return "never" if at is None else time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at / 1000))


def password(ctx: typer.Context, name: NameArgument, password_stdin: PasswordOption = False) -> None:
    """Set a person's password; ends the person's sessions.

    Example: `snowgauge access password ada`
    """
    from snowgauge.pipeline.private_port import open_access

    book = open_access(settings_of(ctx))
    person_id = _named(book, name)
    book.change_person(person_id, password=_password(password_stdin))
    book.record(_SHELL, "change person", name, "new password")
    out.print(f"{name} has a new password")


def reset_second_factor(ctx: typer.Context, name: NameArgument) -> None:
    """Remove a person's second factor, for one who has lost it; ends the person's sessions.

    Example: `snowgauge access reset-second-factor ada`
    """
    from snowgauge.pipeline.private_port import open_access

    book = open_access(settings_of(ctx))
    person = book.reset_second_factor(_named(book, name))
    book.record(_SHELL, "reset second factor", person.name)
    out.print(f"{person.name} logs in without a code")


def remove(ctx: typer.Context, name: NameArgument) -> None:
    """Remove a user.

    Example: `snowgauge access remove grace`
    """
    from snowgauge.pipeline.private_port import open_access

    book = open_access(settings_of(ctx))
    person = book.remove_person(_named(book, name))
    book.record(_SHELL, "remove person", person.name)
    out.print(f"{person.name} may no longer log in")


def _named(book: AccessBook, name: str) -> str:
    found = [person.id for person in book.people() if person.name.lower() == name.lower()]
    if not found:
        raise AccessRefused(f"there is nobody named {name!r}; `snowgauge access list` shows who there is")
    return found[0]


def add_key(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[str], typer.Option(help="A permission, such as read:aggregates. May be repeated.")],
    app: AppOption = None,
) -> None:
    """Make an API key; its secret is printed this once.

    Example: `snowgauge access add-key grafana --scope read:aggregates`
    """
    from snowgauge.pipeline.private_port import open_access

    book = open_access(settings_of(ctx))
    key, secret = book.add_key(name, scope, created_by=_SHELL.name, apps=app or [])
    book.record(_SHELL, "add key", key.name, f"{', '.join(key.scopes)}; applications: {_apps(key.apps)}")
    err.print("[dim]keep it now: it is not shown again[/]")
    out.print(secret, markup=False)
