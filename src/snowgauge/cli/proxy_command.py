"""`snowgauge proxy`: HTTPS at the front."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from snowgauge.cli.context import JsonOption, err, out, print_rows, settings_of
from snowgauge.errors import SettingsError


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="HTTPS at the front: routing, certificates.", no_args_is_help=True)
    group.command("run")(run)
    group.command("config")(config)
    group.command("certificates")(certificates_)
    group.command("retry")(retry)
    app.add_typer(group, name="proxy")


class Program(StrEnum):
    """Proxies whose files can be written."""

    traefik = "traefik"
    caddy = "caddy"
    nginx = "nginx"


def run(ctx: typer.Context) -> None:
    """Run the proxy alone, as `snowgauge serve` does where `tls.domains` names at least one.

    Example: `snowgauge proxy run`
    """
    from snowgauge.pipeline import build
    from snowgauge.pipeline.privileges import private_files
    from snowgauge.pipeline.proxy.run import FrontProxy
    from snowgauge.pipeline.roles.process import mark_ready, on_stop, share_metrics

    settings = settings_of(ctx)
    private_files()
    share_metrics(settings)
    stop = threading.Event()
    on_stop(stop.set)
    proxy = FrontProxy(settings, build.data_dir(settings), os.environ)
    proxy.run(stop, lambda: mark_ready(settings, "proxy-0"))


def config(
    ctx: typer.Context,
    program: Annotated[Program, typer.Argument(help="The proxy to write for.")],
    domain: Annotated[
        list[str] | None, typer.Option(help="A name of the collector; may be repeated. Default: `tls.domains`.")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Write the files here instead of showing them.")] = None,
) -> None:
    """Write the routing for a proxy that you run yourself.

    Example: `snowgauge proxy config nginx --domain collector.example.com`
    """
    from snowgauge.pipeline.proxy import files

    settings = settings_of(ctx, *([f"tls.domains={','.join(domain)}"] if domain else []))
    made = files.for_people(settings, program.value)
    if folder is None:
        for name, text in made.items():
            if len(made) > 1:
                out.print(f"# ---- {name}", markup=False)
            out.print(text.rstrip("\n"), markup=False, soft_wrap=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (folder / name).write_text(text, "utf-8")
        err.print(f"wrote {folder / name}", markup=False)


def certificates_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show each name's certificate, how long it lasts, and orders that failed.

    Example: `snowgauge proxy certificates`
    """
    from snowgauge.pipeline import build
    from snowgauge.pipeline.proxy import certificates
    from snowgauge.pipeline.proxy.run import certificates_of, orders_of

    settings = settings_of(ctx)
    if not settings.tls.enabled:
        raise SettingsError("tls.domains: no name is given, so there are no certificates")
    data_dir, now = build.data_dir(settings), datetime.now(UTC)
    held, failures = certificates_of(settings, data_dir), orders_of(settings, data_dir).failures
    rows = []
    for name in settings.tls.names:
        fitting = [found for found in held if certificates.covers(found, name)]
        failure = failures.get(name)
        note = ""
        if failure is not None:
            again = failure.again.isoformat(sep=" ", timespec="minutes")
            note = (
                f"{failure.reason}. {failure.cure[:1].upper()}{failure.cure[1:]}. Tried {failure.count}x, again {again}"
            )
        if fitting:
            best = max(fitting, key=lambda found: found.not_after)
            rows.append((name, best.issuer, f"{best.not_after:%Y-%m-%d %H:%M}", f"{best.days_left(now):.1f}", note))
        else:
            rows.append((name, "none yet", "", "", note))
    print_rows(("name", "issuer", "expires (UTC)", "days left", "last failure"), rows, as_json=as_json)


def retry(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The name; default: every name whose order failed.")] = None,
) -> None:
    """Order certificates again now, without waiting for the end of the pause after a failure.

    Example: `snowgauge proxy retry collector.example.com`
    """
    from snowgauge.pipeline import build
    from snowgauge.pipeline.proxy.run import orders_of

    settings = settings_of(ctx)
    orders = orders_of(settings, build.data_dir(settings))
    failed = list(orders.failures)
    if name is not None and name not in failed:
        raise SettingsError(f"{name}: no failed order is remembered; failed are: {', '.join(failed) or 'none'}")
    chosen = failed if name is None else [name]
    orders.forget(chosen)
    out.print(f"ordered again as soon as the proxy runs: {', '.join(chosen) or 'none'}", markup=False)
