"""`snowgauge install-service`: Snowgauge under systemd on a plain server."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from snowgauge.cli.context import err, options, out, settings_of
from snowgauge.errors import SettingsError, SnowgaugeError

_PANEL = "Running"


def register(app: typer.Typer) -> None:
    app.command("install-service", rich_help_panel=_PANEL)(install_service)


def install_service(
    ctx: typer.Context,
    user: Annotated[str, typer.Option(help="User that the service runs as; must exist and not be root.")] = "snowgauge",
    folder: Annotated[Path, typer.Option(help="Where the unit file is put.")] = Path("/etc/systemd/system"),
    environment_file: Annotated[
        Path, typer.Option(help="File with SNOWPLOW_ variables and secrets, read where it exists.")
    ] = Path("/etc/snowgauge/environment"),
    now: Annotated[
        bool, typer.Option("--now", help="Also enable and start it; without this it is only written.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Show the unit file; write nothing.")] = False,
) -> None:
    """Write a systemd unit that runs `snowgauge serve` at every start of the machine.

    It runs as a user of its own, with the right to ports below 1024 and no other, and can write to its data folder
    only. The settings in front of this command (`--config`, `--set`) become the service's.

    Example: `snowgauge install-service --user snowgauge --now`
    """
    from snowgauge.pipeline.service_unit import Service, unit

    settings = settings_of(ctx, as_root=True)
    chosen = options(ctx)
    service = Service(
        python=Path(sys.executable).absolute(),
        user=user,
        data_dir=settings.common.data_dir.expanduser().absolute(),
        config=chosen.config.absolute() if chosen.config else None,
        flags=tuple(chosen.flags),
        environment_file=environment_file,
        low_ports=settings.tls.enabled or settings.collector.port < 1024,
        stop_seconds=int(
            settings.collector.pre_termination_period.total_seconds() + settings.pipeline.drain_timeout.total_seconds()
        )
        + 60,
    )
    text = unit(service)
    if show:
        out.print(text.rstrip("\n"), markup=False, soft_wrap=True)
        return
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise SettingsError(
            f"--user: there is no user {user!r}; make one with "
            f"`useradd --system --home-dir {service.data_dir} --shell /usr/sbin/nologin {user}`"
        ) from None
    if account.pw_uid == 0:
        raise SettingsError("--user: the service must not run as root; make a user of its own")
    file = folder / "snowgauge.service"
    try:
        made = not service.data_dir.exists()
        service.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if made:
            os.chown(service.data_dir, account.pw_uid, account.pw_gid)
        file.write_text(text, "utf-8")
    except OSError as error:
        raise SnowgaugeError(f"{error.filename}: {error.strerror}; run this as root, or with --show") from None
    err.print(f"wrote {file}", markup=False)
    commands = [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", "snowgauge.service"]]
    if not now:
        err.print("to start it now and at every start of the machine:")
        for command in commands:
            err.print(f"  {' '.join(command)}", markup=False)
        return
    for command in commands:
        try:
            subprocess.run(command, check=True)  # noqa: S603 - our own command line
        except (OSError, subprocess.CalledProcessError) as error:
            raise SnowgaugeError(f"{' '.join(command)}: {error}") from None
