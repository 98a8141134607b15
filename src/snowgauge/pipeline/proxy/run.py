"""The supervised proxy: writes what it reads, starts it, puts what it says into our words, keeps certificates current.

Our own process stands between supervisor and proxy for three things that the proxy does not do: orders that failed are
not repeated before their pause is over, not by a restart either; your own certificate files are loaded when they
change, and only if they belong together; and how long certificates last is a metric and a line in the log.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from snowgauge.errors import SettingsError, SnowgaugeError
from snowgauge.pipeline.proxy import caddy, certificates, messages, traefik
from snowgauge.pipeline.proxy.certificates import Certificate, OwnCertificate
from snowgauge.pipeline.proxy.orders import Orders
from snowgauge.pipeline.proxy.private_files import private_folder, write_private
from snowgauge.pipeline.proxy.programs import find_program
from snowgauge.pipeline.proxy.routing import Routing, routing
from snowgauge.settings.model import Settings
from snowgauge.settings.tls import TlsSettings
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count, gauge

_log = logger("proxy")

_TICK = 0.25
_GRACE = 15.0
_OUT = 5.0
"""Seconds for which a name whose order failed stays out of the proxy's files: more than Traefik's throttle of 2."""
_WARN_DAYS = 7.0
_PR_SET_PDEATHSIG = 1


class Driver(Protocol):
    """One kind of proxy."""

    def write(self, order: Iterable[str], own: OwnCertificate | None, /) -> None:
        """Write the files it reads. ``order``: names whose certificates it may order now."""

    def command(self) -> list[str]:
        """How it is started."""

    def tell(self) -> None:
        """Have it read its files again."""

    def certificates(self) -> list[Certificate]:
        """What it has."""


class Traefik:
    """Watches its files, so that it need not be told."""

    def __init__(self, program: Path, folder: Path, routes: Routing, tls: TlsSettings) -> None:
        self._program, self._folder, self._routes, self._tls = program, folder, routes, tls

    def write(self, order: Iterable[str], own: OwnCertificate | None, /) -> None:
        self._put(traefik.STATIC, traefik.text(traefik.static(self._tls, self._folder)))
        names = () if own is not None else set(order)
        self._put(traefik.DYNAMIC, traefik.text(traefik.dynamic(self._routes, self._tls, order=names, own=own)))

    def _put(self, name: str, text: str) -> None:
        file = self._folder / name
        if not file.is_file() or file.read_text() != text:
            write_private(file, text.encode())

    def command(self) -> list[str]:
        return [str(self._program), f"--configFile={self._folder / traefik.STATIC}"]

    def tell(self) -> None:
        pass

    def certificates(self) -> list[Certificate]:
        return list(certificates.of_traefik(self._folder / traefik.storage(self._tls.acme)))


class Caddy:
    """Is told by its own command, over a socket in the private folder."""

    def __init__(self, program: Path, folder: Path, routes: Routing, tls: TlsSettings) -> None:
        self._program, self._folder, self._routes, self._tls = program, folder, routes, tls
        self._storage = private_folder(folder / "caddy")
        self._admin = folder / "admin.sock"

    def write(self, _order: Iterable[str], own: OwnCertificate | None, /) -> None:
        """It orders when it sees fit, and pauses automatically after a failure."""
        pair = None
        if own is not None:
            pair = (self._folder / "own.pem", self._folder / "own.key")
            write_private(pair[0], own.chain.encode())
            write_private(pair[1], own.private_key.encode())
        text = caddy.caddyfile(self._routes, self._tls, storage=self._storage, admin=self._admin, certificate=pair)
        write_private(self._folder / caddy.FILE, text.encode())

    def command(self) -> list[str]:
        self._admin.unlink(missing_ok=True)
        return [str(self._program), "run", "--config", str(self._folder / caddy.FILE), "--adapter", "caddyfile"]

    def tell(self) -> None:
        command = [str(self._program), "reload", "--force", "--config", str(self._folder / caddy.FILE)]
        command += ["--adapter", "caddyfile", "--address", f"unix/{self._admin}"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=30)  # noqa: S603 - our own command line
        if done.returncode:
            _log.error("proxy_not_reloaded", reason=done.stderr.decode(errors="replace")[-400:])

    def certificates(self) -> list[Certificate]:
        return list(certificates.of_caddy(self._storage))


def folder_of(data_dir: Path) -> Path:
    """Where account, certificates and the proxy's files lie."""
    return data_dir / "tls"


def orders_of(settings: Settings, data_dir: Path) -> Orders:
    """The failed orders that are remembered."""
    acme = settings.tls.acme
    return Orders(folder_of(data_dir) / "orders.json", traefik.directory_url(acme), acme.retry_after)


def certificates_of(settings: Settings, data_dir: Path) -> list[Certificate]:
    """The certificates that are served, or would be."""
    tls = settings.tls
    if tls.certificate is not None and tls.private_key is not None:
        return [certificates.read_own(tls.certificate, tls.private_key).certificate]
    folder = folder_of(data_dir)
    if tls.proxy == "caddy":
        return list(certificates.of_caddy(folder / "caddy"))
    return list(certificates.of_traefik(folder / traefik.storage(tls.acme)))


class FrontProxy:
    """One run of the proxy."""

    def __init__(self, settings: Settings, data_dir: Path, environment: Mapping[str, str]) -> None:
        """Raises ``SettingsError`` where program, names or certificate files are wrong."""
        self._tls = settings.tls
        self._environment = dict(environment)
        routes = routing(settings)
        program = find_program(self._tls, environment)
        folder = private_folder(folder_of(data_dir))
        kind = Traefik if self._tls.proxy == "traefik" else Caddy
        self._driver: Driver = kind(program, folder, routes, self._tls)
        self._orders = orders_of(settings, data_dir)
        self._own = self._read_own()
        self._own_seen = self._own_stamp()
        self._ordering: set[str] = set()
        self._taken_out: dict[str, float] = {}
        self._known: dict[str, int] = {}
        self._told_short: set[int] = set()

    def run(self, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Keep the proxy running until ``stop``. Raises ``SnowgaugeError`` when it ends unasked."""
        self._ordering = self._orders.may_order(self._tls.names, _now())
        self._driver.write(self._ordering, self._own)
        process = subprocess.Popen(  # noqa: S603 - a program that the settings name
            self._driver.command(),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads exist yet
        )
        reading = threading.Thread(target=self._read, args=(process,), daemon=True)
        reading.start()
        try:
            waiting = True
            while not stop.wait(_TICK):
                code = process.poll()
                if code is not None:
                    raise SnowgaugeError(f"{self._tls.proxy} ended with code {code}; its messages above say why")
                if waiting and self._accepts():
                    waiting = False
                    ready()
                    _log.info("proxy_started", program=self._tls.proxy, names=self._tls.names)
                self._look_after()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_GRACE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            reading.join(5)
            assert process.stdout is not None
            process.stdout.close()

    def _accepts(self) -> bool:
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._tls.interface, self._tls.interface)  # noqa: S104 - read, not bound
        for port in (self._tls.http_port, self._tls.https_port):
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                return False
        return True

    def _look_after(self) -> None:
        """Once a tick: new certificates, files that changed, pauses that are over."""
        self._notice(self._driver.certificates() if self._own is None else [self._own.certificate])
        changed = self._own_changed()
        self._orders.reload()
        may = self._seen_without(self._orders.may_order(self._tls.names, _now()))
        if changed or may != self._ordering:
            self._ordering = may
            self._driver.write(may, self._own)
            self._driver.tell()

    def _seen_without(self, may: set[str]) -> set[str]:
        """Of names that may be ordered, those that are not to stay out a moment longer.

        A proxy orders again only a name that it has seen gone, and it looks at its files every other second.
        """
        now = time.monotonic()
        self._taken_out |= dict.fromkeys(self._ordering - may, now)
        return {name for name in may if now - self._taken_out.get(name, -_OUT) >= _OUT}

    def _notice(self, found: Iterable[Certificate]) -> None:
        now = _now()
        for name in self._tls.names:
            fitting = [certificate for certificate in found if certificates.covers(certificate, name)]
            if not fitting:
                continue
            best = max(fitting, key=lambda certificate: certificate.not_after)
            gauge("tls_certificate_expires_timestamp", best.not_after.timestamp(), domain=name)
            if self._known.get(name) != best.serial:
                event = "certificate_renewed" if name in self._known else "certificate_served"
                self._known[name] = best.serial
                self._orders.forget([name])
                _log.info(event, domain=name, issuer=best.issuer, expires=best.not_after.isoformat())
            life = (best.not_after - best.not_before).total_seconds() / 86400
            if best.days_left(now) < min(_WARN_DAYS, life / 6) and best.serial not in self._told_short:
                self._told_short.add(best.serial)
                _log.warning("certificate_expires_soon", domain=name, expires=best.not_after.isoformat())

    def _own_stamp(self) -> tuple[object, ...]:
        stamps: list[object] = []
        for file in (self._tls.certificate, self._tls.private_key):
            if file is not None:
                try:
                    stat = file.expanduser().stat()
                except OSError:
                    stamps.append(None)  # being replaced
                else:
                    stamps.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return tuple(stamps)

    def _read_own(self) -> OwnCertificate | None:
        if self._tls.certificate is None or self._tls.private_key is None:
            return None
        own = certificates.read_own(self._tls.certificate, self._tls.private_key)
        for name in self._tls.names:
            if not certificates.covers(own.certificate, name):
                raise SettingsError(
                    f"tls.certificate: {self._tls.certificate} is for {', '.join(own.certificate.names) or 'no name'}, "
                    f"not for {name}"
                )
        return own

    def _own_changed(self) -> bool:
        stamp = self._own_stamp()
        if stamp == self._own_seen:
            return False
        try:
            found = self._read_own()
        except SettingsError as error:
            if stamp and None not in stamp:
                self._own_seen = stamp
                _log.error("certificate_files_refused", reason=str(error), note="the ones before stay in use")
            return False
        self._own_seen = stamp
        changed = found != self._own
        self._own = found
        return changed

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Turn the proxy's lines into ours, until it ends."""
        assert process.stdout is not None
        port = self._tls.http_port if self._tls.acme.challenge == "http-01" else self._tls.https_port
        for line in process.stdout:
            said = messages.read(line, challenge_port=port)
            if isinstance(said, messages.Refused):
                self._refused(said)
            elif said is not None:
                _log.error("proxy_says", message=said.message)

    def _refused(self, said: messages.Refused) -> None:
        for name in said.names:
            count("tls_certificate_failures", domain=name)
            kind = "certificate_not_renewed" if said.renewal else "certificate_not_issued"
            if said.renewal:
                _log.error(kind, domain=name, reason=said.reason, cure=said.cure)
                continue
            before = self._orders.failures.get(name)
            failure = self._orders.failed(name, said.reason, said.cure, _now())
            if failure is not before:  # one that was under way while the first failed is the same news
                again = failure.again.isoformat(timespec="seconds")
                _log.error(kind, domain=name, reason=said.reason, cure=said.cure, tried=failure.count, again=again)


def _now() -> datetime:
    return datetime.now(UTC)


def _die_with_parent() -> None:
    """Runs in the child: a proxy never outlives the process that looks after it, on Linux."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
