"""`snowgauge serve` and the roles it is made of."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from snowgauge.cli.context import child_arguments, err, load_settings, settings_of
from snowgauge.cli.upgrade_command import BackupOption, asker, upgrade_flags
from snowgauge.errors import SnowgaugeError, StoreUnavailable

if TYPE_CHECKING:
    from snowgauge.settings.model import Settings

_PANEL = "Running"


def register(app: typer.Typer) -> None:
    app.command("serve", rich_help_panel=_PANEL)(serve)
    app.command("collector", rich_help_panel=_PANEL)(collector)
    app.command("pipeline", rich_help_panel=_PANEL)(pipeline)
    app.command("modeller", rich_help_panel=_PANEL)(modeller)
    app.command("console", rich_help_panel=_PANEL)(console)


HostOption = Annotated[str | None, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on.")]


def _flags(section: str, **given: object) -> list[str]:
    return [f"{section}.{key}={value}" for key, value in given.items() if value is not None]


def serve(
    ctx: typer.Context,
    host: HostOption = None,
    port: PortOption = None,
    domain: Annotated[
        list[str] | None,
        typer.Option(help="Serve HTTPS under this name, with a certificate from Let's Encrypt. May be repeated."),
    ] = None,
    acme_email: Annotated[str | None, typer.Option(help="Address that Let's Encrypt may write to.")] = None,
    backup: BackupOption = None,
) -> None:
    """Run everything on this machine: collectors, workers, private port, and the embedded engine if no server is set.

    Stops in order at Ctrl-C or SIGTERM; what was received and not stored waits for the next start. With `--domain` a
    proxy serves HTTPS on ports 80 and 443, and the collector itself listens on loopback only, unless told otherwise.

    Example: `snowgauge serve --domain collector.example.com`
    """
    from snowgauge.pipeline import deployment
    from snowgauge.pipeline.privileges import check_root, private_files

    started = time.monotonic()
    flags = _flags("collector", interface=host, port=port) + _flags("tls.acme", email=acme_email)
    flags += upgrade_flags(backup)
    loaded = load_settings(ctx, *flags, *([f"tls.domains={','.join(domain)}"] if domain else []))
    if loaded.settings.tls.enabled and "collector.interface" not in loaded.sources:
        # who could reach the collector past the proxy could make up the addresses that only the proxy may name
        loaded = load_settings(ctx, "collector.interface=127.0.0.1")
    private_files()
    check_root(loaded.settings, os.environ)
    running = deployment.start(
        loaded.settings, os.environ, child_arguments(ctx), before_work=lambda: _ask_before(loaded.settings)
    )
    if not running.supervisor.stop.is_set():
        err.print(f"[bold green]ready[/] after {time.monotonic() - started:.1f} s")
        for line in running.greeting:
            err.print(f"  {line}", highlight=False)
    running.watch()


def _ask_before(settings: Settings) -> list[str]:
    """At a terminal: what the worker that changes the layout is told to do first."""
    from snowgauge.pipeline.build import embedded, open_store
    from snowgauge.pipeline.upgrades import pending

    ask = asker()
    if ask is None or settings.store.backup_before_upgrade != "ask":
        return []
    store = open_store(settings)
    try:
        steps = pending(store)
    except StoreUnavailable:
        return []  # the worker waits for it, and goes on as unattended
    finally:
        store.close()
    if not steps:
        return []
    choice = ask(steps, embedded(settings))
    if choice == "ask":
        raise SnowgaugeError("nothing was changed, and nothing runs: the layout stays as it was")
    return ["--set", f"store.backup_before_upgrade={choice}"]


IndexOption = Annotated[int, typer.Option(min=0, help="Which of several this is.")]


def collector(ctx: typer.Context, host: HostOption = None, port: PortOption = None, index: IndexOption = 0) -> None:
    """Run a collector alone: HTTP requests into the event log.

    Example: `snowgauge collector --port 8000`
    """
    from snowgauge.pipeline.privileges import check_root, private_files
    from snowgauge.pipeline.roles.collector import run_collector
    from snowgauge.pipeline.roles.process import share_metrics

    settings = settings_of(ctx, *_flags("collector", interface=host, port=port))
    private_files()
    check_root(settings, os.environ)
    share_metrics(settings)
    run_collector(settings, index=index)


def pipeline(ctx: typer.Context, index: IndexOption = 0) -> None:
    """Run one pipeline worker alone: from the event log into the store, or with `pipeline.store = none` to sinks.

    Example: `snowgauge pipeline --index 0`
    """
    from snowgauge.pipeline.privileges import check_root, private_files
    from snowgauge.pipeline.roles.process import share_metrics

    settings = settings_of(ctx)
    private_files()
    check_root(settings, os.environ)
    share_metrics(settings)
    if settings.pipeline.store == "none":
        from snowgauge.pipeline.streaming import run_streaming

        run_streaming(settings, os.environ, index=index)
    else:
        from snowgauge.pipeline.roles.worker import run_pipeline

        run_pipeline(settings, os.environ, index=index)


def modeller(ctx: typer.Context) -> None:
    """Run the modeller alone: from the events in the store into the modelled tables.

    Of several with one store one works, and the others wait. Example: `snowgauge modeller`
    """
    from snowgauge.pipeline.privileges import check_root, private_files
    from snowgauge.pipeline.roles.modeller import run_modeller
    from snowgauge.pipeline.roles.process import share_metrics

    settings = settings_of(ctx)
    private_files()
    check_root(settings, os.environ)
    share_metrics(settings)
    run_modeller(settings)


def console(ctx: typer.Context, host: HostOption = None, port: PortOption = None) -> None:
    """Run the private port alone: console, APIs, metrics, health.

    Example: `snowgauge console --port 8001`
    """
    from snowgauge.pipeline.privileges import check_root, private_files
    from snowgauge.pipeline.roles.console import run_console
    from snowgauge.pipeline.roles.process import share_metrics

    settings = settings_of(ctx, *_flags("console", host=host, port=port))
    private_files()
    check_root(settings, os.environ)
    share_metrics(settings)
    run_console(settings)
