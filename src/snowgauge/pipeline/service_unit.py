"""The systemd unit of a deployment, as text."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Service(msgspec.Struct, frozen=True):
    """What the unit runs. ``low_ports``: it listens below 1024."""

    python: Path
    user: str
    data_dir: Path
    config: Path | None
    flags: tuple[str, ...]
    environment_file: Path
    low_ports: bool
    stop_seconds: int


def unit(service: Service) -> str:
    """The unit file. A stop gives the deployment its time to drain before anything is killed."""
    command = [str(service.python), "-m", "snowgauge"]
    if service.config is not None:
        command += ["--config", str(service.config)]
    for flag in service.flags:
        command += ["--set", flag]
    ports = "CAP_NET_BIND_SERVICE" if service.low_ports else ""
    return f"""[Unit]
Description=Snowgauge
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
User={service.user}
WorkingDirectory={_plain(service.data_dir)}
EnvironmentFile=-{_plain(service.environment_file)}
Environment={quoted(f"SNOWPLOW_COMMON__DATA_DIR={service.data_dir}")}
ExecStart={" ".join(quoted(word).replace("$", "$$") for word in [*command, "serve"])}
Restart=always
RestartSec=5
# the supervisor stops its processes in the order of the flow; the signal is for it alone
KillMode=mixed
TimeoutStopSec={service.stop_seconds}
LimitNOFILE=65536
UMask=0077

CapabilityBoundingSet={ports}
AmbientCapabilities={ports}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={quoted(str(service.data_dir))}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""


def quoted(word: str) -> str:
    """A word of a list in a unit file, whatever it holds. Command lines want dollars doubled besides."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'


def _plain(path: Path) -> str:
    """A path where units take the rest of the line."""
    return str(path).replace("%", "%%")
