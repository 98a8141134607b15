"""`snowgauge micro`: the drop-in for Snowplow Micro in test suites."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

import snowgauge
from snowgauge.cli.context import err, options
from snowgauge.errors import SettingsError


def register(app: typer.Typer) -> None:
    app.command("micro", rich_help_panel="Running")(micro)


def micro(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--collector-config", "-c", help="Micro's HOCON file. `--config` with a .hocon or .conf file too."
        ),
    ] = None,
    iglu: Annotated[Path | None, typer.Option("--iglu", "-i", help="Iglu resolver configuration, JSON.")] = None,
    tsv: Annotated[
        bool, typer.Option("--output-tsv", "-t", help="Write good and incomplete events to standard output as TSV.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--output-json", "-j", help="The same as JSON, one event per line.")] = False,
    destination: Annotated[
        str, typer.Option("--destination", "-d", help="Address to POST that output to, instead of standard output.")
    ] = "",
    no_storage: Annotated[
        bool, typer.Option("--no-storage", help="Keep no events: /micro answers 404 to everything.")
    ] = False,
    max_events: Annotated[
        int | None, typer.Option("--max-events", "-m", min=0, help="Keep only so many newest events. 0: --no-storage.")
    ] = None,
    yauaa: Annotated[bool, typer.Option("--yauaa", help="Run the YAUAA user agent enrichment.")] = False,
    files: Annotated[
        Path | None,
        typer.Option(
            "--files",
            help="Folder laid out as Micro's /config: enrichments/, iglu-client-embedded/, ssl-certificate.p12. "
            "Default: /config if there is one.",
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on: 9090 unless told otherwise; 0 is any.")
    ] = None,
    https_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of HTTPS, which MICRO_SSL_CERT_PASSWORD switches on.")
    ] = 9543,
    properties: Annotated[
        list[str] | None, typer.Option("-D", help="One setting of Micro's file: `-Dcollector.cookie.name=sp`.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    """Run collector, enrich and the Micro API in this one process, in memory: for test suites.

    Events are visible at `/micro/good` and `/micro/bad` as soon as the tracking request is answered. Understands the
    flags, files and variables of Snowplow Micro; every other setting is that of a deployment.

    Example: `snowgauge micro --port 9090`
    """
    from snowgauge.telemetry import logs

    started = time.monotonic()
    if version:
        typer.echo(f"snowgauge {snowgauge.__version__}")
        return
    if tsv and as_json:
        raise SettingsError("--output-tsv and --output-json exclude each other")
    if destination and not (tsv or as_json):
        raise SettingsError("--destination needs --output-tsv or --output-json")
    from snowgauge.actions.micro.memory import MemoryMicroEvents
    from snowgauge.pipeline import micro as mode
    from snowgauge.pipeline import micro_options
    from snowgauge.pipeline.enriching import Enriching

    front = options(ctx)
    file = front.config
    if file is not None and file.suffix != ".toml":
        config, file = config or file, None
    given = micro_options.MicroOptions(
        config,
        iglu,
        files or next((path for path in [Path("/config")] if path.is_dir()), None),
        yauaa,
        https_port,
        properties or (),
    )
    flags = [f"collector.{key}={value}" for key, value in (("interface", host), ("port", port)) if value is not None]
    with tempfile.TemporaryDirectory(prefix="snowgauge-micro-") as folder:
        scratch = Path(folder)
        settings = micro_options.settings_of(
            given, os.environ, scratch, file=file, flags=[*front.flags, *flags]
        ).settings
        logs.configure(settings.logging.level, json_format=settings.logging.json_format)
        certificate = micro_options.certificate(given, os.environ, scratch)
        output = None
        if tsv or as_json:
            fmt: mode.Format = "tsv" if tsv else "json"
            output = mode.posting(fmt, destination) if destination else mode.standard_output(fmt)
        events = None if no_storage or max_events == 0 else MemoryMicroEvents(max_events)
        enriching = Enriching(settings, os.environ)

        def ready(chosen: int) -> None:
            err.print(f"[bold green]ready[/] after {time.monotonic() - started:.1f} s")
            err.print(f"  http://127.0.0.1:{chosen}, events at /micro/ui", highlight=False)
            if certificate is not None:
                err.print(f"  https://127.0.0.1:{certificate.port}", highlight=False)

        try:
            mode.run(
                settings.collector,
                mode.MicroWriter(enriching.enricher, events, output),
                events,
                enriching.resolver,
                certificate=certificate,
                ready=ready,
            )
        finally:
            enriching.close()
            if output is not None:
                output.close()
