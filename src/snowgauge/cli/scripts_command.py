"""`snowgauge scripts`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from snowgauge.actions.scripts.download import Source
from snowgauge.actions.scripts.neutral import Rules
from snowgauge.cli.context import err, out, settings_of, table

if TYPE_CHECKING:
    from snowgauge.settings.model import Settings


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The trackers' JavaScript, served by the collector itself.", no_args_is_help=True)
    group.command("download")(download_command)
    group.command("snippet")(snippet_command)
    group.command("neutral")(neutral)
    app.add_typer(group, name="scripts")


Collector = Annotated[
    str | None, typer.Option("--collector", help="Address of the collector as pages see it; default: common.hostname.")
]
AppId = Annotated[str, typer.Option("--app-id", help="Application id in the snippet.")]

Yes = Literal["true", "false"]
"""How Simple Snowplow's command line wrote a flag: ``--create_loader_copy False``."""


def download_command(
    ctx: typer.Context,
    version: Annotated[str | None, typer.Option("--version", help="Version; default: scripts.version.")] = None,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", "--output_dir", help="Folder; default: the one that is served.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Download again what is there.")] = False,
    create_loader_copy: Annotated[
        bool, typer.Option("--loader-copy/--no-loader-copy", help="Also as loader.js, a name that says less.")
    ] = True,
    source: Annotated[
        Source, typer.Option("--source", help="Snowplow's releases, or npm with a loader of our own.")
    ] = "release",
    given: Annotated[
        str | None, typer.Option("--from", help="A file, folder, archive or address of your own instead.")
    ] = None,
    as_simple_snowplow: Annotated[
        Yes | None,
        typer.Option(
            "--create_loader_copy", hidden=True, case_sensitive=False, help="The same, as Simple Snowplow had it."
        ),
    ] = None,
) -> None:
    """Download the JavaScript tracker and its plug-ins into the folder that the collector serves below /static/.

    Example: `snowgauge scripts download --version 4.6.8`
    """
    from snowgauge.actions.scripts.download import download
    from snowgauge.pipeline.build import scripts_folder

    settings = settings_of(ctx)
    folder = output_dir or scripts_folder(settings)
    if as_simple_snowplow is not None:
        create_loader_copy = as_simple_snowplow == "true"
    done = download(
        settings.scripts, folder, version=version, force=force, source=source, given=given,
        loader_copy=create_loader_copy,
    )  # fmt: skip
    if done.already:
        out.print(f"Scripts already present for version {done.version}. Use --force to redownload.", soft_wrap=True)
        return
    out.print(f"Downloaded tracker scripts version {done.version} to {folder}", soft_wrap=True)
    out.print(table(("file", "sha256"), sorted(done.files.items())))


def snippet_command(ctx: typer.Context, collector: Collector = None, app_id: AppId = "my-app") -> None:
    """Print the script for a page's header; with neutral names if scripts.neutral is on.

    Example: `snowgauge scripts snippet --collector https://sp.example.com --app-id shop`
    """
    from snowgauge.actions.scripts.neutral import neutral_names, snippet

    settings = settings_of(ctx)
    names = (
        neutral_names(settings.scripts.neutral.seed.get_secret_value()) if settings.scripts.neutral.enabled else None
    )
    typer.echo(snippet(_address(settings, collector), names=names, app_id=app_id), nl=False)


def neutral(
    ctx: typer.Context,
    rules: Annotated[
        Rules | None, typer.Option("--rules", help="Print rules for this server instead of the snippet.")
    ] = None,
    upstream: Annotated[
        str, typer.Option("--upstream", help="Address of the collector as that server reaches it.")
    ] = "http://127.0.0.1:8000",
    collector: Collector = None,
    app_id: AppId = "my-app",
    as_json: Annotated[bool, typer.Option("--json", help="Print the names as JSON, for programs.")] = False,
) -> None:
    """Print the ad-blocker kit: neutral names for script, requests and cookie, as a snippet or as rules for a server.

    The names are made of scripts.neutral.seed; the collector answers on them when scripts.neutral.enabled is true.

    Example: `snowgauge scripts neutral --rules nginx --set scripts.neutral.seed=some-words-of-mine`
    """
    from snowgauge.actions.scripts.neutral import neutral_names, proxy_rules, snippet

    settings = settings_of(ctx)
    names = neutral_names(settings.scripts.neutral.seed.get_secret_value())
    if as_json:
        out.print_json(json.dumps(msgspec.to_builtins(names)))
    elif rules is not None:
        typer.echo(proxy_rules(rules, names, upstream), nl=False)
    else:
        typer.echo(snippet(_address(settings, collector), names=names, app_id=app_id), nl=False)
    if not settings.scripts.neutral.enabled:
        err.print("scripts.neutral.enabled is false: the collector does not answer on these names yet", markup=False)


def _address(settings: Settings, given: str | None) -> str:
    from snowgauge.pipeline.public_paths import public_url

    return (given or public_url(settings) or str(settings.common.hostname)).rstrip("/")
