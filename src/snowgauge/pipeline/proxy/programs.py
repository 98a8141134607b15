"""What has to be there before a proxy can be run: its program, and the right to its ports."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from snowgauge.errors import SettingsError
from snowgauge.settings.tls import TlsSettings


def find_program(tls: TlsSettings, environment: Mapping[str, str]) -> Path:
    """The proxy's program: the one of the settings, else beside this Python (the extra), else on PATH."""
    if tls.program is not None:
        given = tls.program.expanduser().absolute()
        if not (given.is_file() and os.access(given, os.X_OK)):
            raise SettingsError(f"tls.program: {given} is not a program that can be run")
        return given
    beside = Path(sys.executable).parent / tls.proxy
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which(tls.proxy, path=environment.get("PATH", os.defpath))
    if found is None:
        cure = "pip install 'snowgauge[tls]'" if tls.proxy == "traefik" else "install Caddy 2"
        raise SettingsError(
            f"tls.proxy: {tls.proxy} is not on this machine; {cure}, name the program with tls.program, or leave "
            "tls.domains empty and put a proxy of your own in front (`snowgauge proxy config` writes its routing)"
        )
    return Path(found)


def refuse_ports(tls: TlsSettings) -> None:
    """Raise ``SettingsError`` where a port is taken or this user may not have it."""
    for key, port in (("tls.http_port", tls.http_port), ("tls.https_port", tls.https_port)):
        family = socket.AF_INET6 if ":" in tls.interface or (not tls.interface and _has_ipv6()) else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            try:
                probe.bind((tls.interface, port))
            except PermissionError:
                raise SettingsError(
                    f"{key}: this user may not listen on port {port}; install the service with `snowgauge "
                    "install-service`, which grants just that right, or use a port above 1023 and send "
                    f"port {port} there"
                ) from None
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise SettingsError(
                        f"{key}: something else listens on port {port}; stop it or choose another port"
                    ) from None
                raise SettingsError(f"tls.interface: cannot listen at {tls.interface!r}: {error.strerror}") from None


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True
