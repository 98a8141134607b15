"""Giving up root: which account a deployment runs as, what it owns, and the one right it may keep.

Once given up there is no way back: what is started later (parts, the front proxy) is of the same account, and can gain
nothing by running other programs. Ports below 1024 are what root is needed for; the right to those alone is kept
(Linux: the ambient capability ``CAP_NET_BIND_SERVICE``) where the settings name such a port.
"""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import sys
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from snowgauge.errors import SettingsError
from snowgauge.settings.model import Settings
from snowgauge.telemetry.logs import logger

_log = logger("supervisor")

_LOW = 1024
_NET_BIND_SERVICE = 10
_KEEP_CAPABILITIES, _NO_NEW_PRIVILEGES, _AMBIENT, _AMBIENT_RAISE = 8, 38, 47, 2
_CAPABILITIES_VERSION_3 = 0x20080522


class Account(msgspec.Struct, frozen=True):
    """Who a deployment runs as."""

    name: str
    uid: int
    gid: int
    home: str


def private_files() -> None:
    """Whatever this process and its children make can be read by their own user only."""
    os.umask(0o077)


def account(user: str, group: str = "") -> Account:
    """The account of the settings. Raises ``SettingsError`` for one that does not exist, and for root."""
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise SettingsError(
            f"common.user: there is no user {user!r}; make one with `useradd --system --shell /usr/sbin/nologin {user}`"
        ) from None
    gid = found.pw_gid
    if group:
        try:
            gid = grp.getgrnam(group).gr_gid
        except KeyError:
            raise SettingsError(
                f"common.group: there is no group {group!r}; make it with `groupadd --system {group}`"
            ) from None
    if found.pw_uid == 0 or gid == 0:
        raise SettingsError("common.user: root is what is to be given up; name a user and a group of their own")
    return Account(found.pw_name, found.pw_uid, gid, found.pw_dir)


def become(settings: Settings, environment: MutableMapping[str, str]) -> bool:
    """Become ``common.user`` where this process is root's; answers whether it did. Nothing happens without the setting.

    The deployment's folders are made for that user first. Raises ``SettingsError`` where this process is neither
    root's nor that user's, and where a folder is someone else's.
    """
    if not settings.common.user:
        return False
    chosen = account(settings.common.user, settings.common.group)
    if os.geteuid() == chosen.uid:
        return False
    if os.geteuid() != 0:
        raise SettingsError(
            f"common.user: only root can become {chosen.name}; run this as root or as {chosen.name}, or leave it empty"
        )
    folders = list(_folders(settings))
    for folder in folders:
        _hand_over(folder, chosen)
    _drop(chosen, keep_low_ports=needs_low_ports(settings))
    environment.update(HOME=chosen.home, USER=chosen.name, LOGNAME=chosen.name)
    for folder in folders:
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise SettingsError(
                f"common.user: {chosen.name} cannot reach {folder}: a folder above it is closed to others"
            )
    if not os.access(sys.executable, os.X_OK):
        raise SettingsError(
            f"common.user: {chosen.name} cannot run {sys.executable}: install Snowgauge where others may read it, "
            "such as /opt"
        )
    return True


def check_root(settings: Settings, environment: MutableMapping[str, str]) -> None:
    """Where everything would run as root: say so, or raise ``SettingsError``, as ``common.run_as_root`` wants it.
    Processes that get ``environment`` from this one do not say it again."""
    chosen = settings.common.run_as_root
    if os.geteuid() != 0 or chosen:
        return
    if chosen is False or settings.tls.enabled:
        raise SettingsError(
            "common.user: everything would run as root; name a user (root is given up before anything listens), or set "
            "common.run_as_root = true to run as root all the same"
        )
    _log.warning("runs_as_root", cure="name a user in common.user: root is given up before anything listens")
    environment["SNOWPLOW_COMMON__RUN_AS_ROOT"] = "true"


def needs_low_ports(settings: Settings) -> bool:
    """Does anything of this deployment listen below 1024?"""
    tls, collector = settings.tls, settings.collector
    ports = [settings.console.port, settings.clickhouse.engine.port]
    if not collector.ssl.enable or collector.ssl.redirect:
        ports.append(collector.port)
    if collector.ssl.enable:
        ports.append(collector.ssl.port)
    if tls.enabled:
        ports += [tls.http_port, tls.https_port]
    return any(0 < port < _LOW for port in ports)


def _folders(settings: Settings) -> Iterable[Path]:
    for folder in (settings.common.data_dir, settings.eventlog.spool.folder, settings.clickhouse.engine.path):
        if folder is not None:
            yield folder.expanduser().absolute()


def _hand_over(folder: Path, to: Account) -> None:
    """Make a folder, or take one that is there and empty. One with content is never handed over: anyone who could write
    there before could have linked other people's files into it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.stat()
    if found.st_uid == to.uid:
        return
    if found.st_uid != 0 or any(folder.iterdir()):
        raise SettingsError(
            f"common.user: {folder} belongs to user {found.st_uid} and is not empty, so {to.name} could not write "
            f"there; run `chown -R {to.name} {folder}` once, or choose another folder"
        )
    os.chown(folder, to.uid, to.gid, follow_symlinks=False)
    folder.chmod(0o700)


def _drop(to: Account, *, keep_low_ports: bool) -> None:
    if keep_low_ports:
        _prctl(_KEEP_CAPABILITIES, 1)
    os.setgroups(sorted({to.gid, *os.getgrouplist(to.name, to.gid)} - {0}))
    os.setresgid(to.gid, to.gid, to.gid)
    os.setresuid(to.uid, to.uid, to.uid)
    if keep_low_ports:
        _keep_only(_NET_BIND_SERVICE)
        _prctl(_AMBIENT, _AMBIENT_RAISE, _NET_BIND_SERVICE)
    if sys.platform == "linux":
        _prctl(_NO_NEW_PRIVILEGES, 1)


def _keep_only(capability: int) -> None:
    head = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION_3, 0)
    one = 1 << capability
    sets = (ctypes.c_uint32 * 6)(one, one, one, 0, 0, 0)  # effective, permitted, inheritable; the upper halves
    if _libc().capset(head, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc().prctl(ctypes.c_int(option), *values) != 0:
        number = ctypes.get_errno()
        raise SettingsError(
            f"common.user: this system does not let a process keep the right to ports below {_LOW} alone "
            f"({os.strerror(number)}); use ports above it, or `snowgauge install-service`"
        )


def _libc() -> Any:
    if sys.platform != "linux":
        raise SettingsError(f"common.user: ports below {_LOW} cannot be kept on this system; use ports above it")
    return ctypes.CDLL(None, use_errno=True)
