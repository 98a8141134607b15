"""A whole deployment on one machine: which processes, in which order, and how each says that it is ready."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from snowgauge.errors import SettingsError, SnowgaugeError
from snowgauge.pipeline import build, modelling
from snowgauge.pipeline.private_port import open_doors
from snowgauge.pipeline.proxy.programs import find_program, refuse_ports
from snowgauge.pipeline.proxy.routing import routing
from snowgauge.pipeline.roles.process import ready_mark
from snowgauge.pipeline.supervisor import Part, Supervisor
from snowgauge.settings.model import Settings

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


class Running(msgspec.Struct):
    """A started deployment. ``greeting`` says where things are."""

    supervisor: Supervisor
    greeting: list[str]

    def watch(self) -> None:
        """Keep it running until told to stop, then stop it in order."""
        try:
            self.supervisor.watch()
        finally:
            self.supervisor.shut_down()


def start(
    settings: Settings,
    environment: Mapping[str, str],
    arguments: Sequence[str],
    *,
    before_work: Callable[[], Sequence[str]] = tuple,
) -> Running:
    """Start every process of this deployment and wait until each is ready.

    ``arguments`` stand in front of each child's command. ``before_work`` is called once the embedded engine answers,
    before workers start; what it gives are more arguments for them. Raises ``SettingsError`` when the data folder is in
    use and ``SnowgaugeError`` when a part cannot use its settings; what was started is stopped then.
    """
    if settings.pipeline.store == "none":
        raise SettingsError(
            "pipeline.store = none: `serve` runs what reads a store. Run `snowgauge collector` and `snowgauge "
            "pipeline` instead, or remove pipeline.store"
        )
    counted = settings.pipeline.counted()
    settings = settings.model_copy(update={"pipeline": counted})
    for name in ("workers", "collectors"):
        arguments = (*arguments, "--set", f"pipeline.{name}={getattr(counted, name)}")
    folder = build.data_dir(settings)
    run_dir = folder / "run"
    log = build.open_eventlog(settings)
    supervisor = Supervisor(
        run_dir,
        environment=environment,
        backlog=lambda: log.stats().entries,
        drain_timeout=settings.pipeline.drain_timeout.total_seconds(),
    )
    supervisor.claim()
    _refuse_taken_ports(settings)
    if settings.tls.enabled:
        routing(settings)
        find_program(settings.tls, environment)
        refuse_ports(settings.tls)
    if settings.console.enabled:
        open_doors(settings).access.close()
    shutil.rmtree(run_dir / "metrics", ignore_errors=True)
    told = threading.Event()

    def stop(number: int, _: object) -> None:
        supervisor.hurry = supervisor.hurry or number == signal.SIGINT
        told.set()
        supervisor.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        supervisor.start(_doors(settings, arguments))
        if not told.is_set():
            supervisor.start(_behind(settings, arguments))
        more = () if told.is_set() else before_work()
        if not told.is_set():
            supervisor.start(_workers(settings, (*arguments, *more)))
    except SnowgaugeError:
        supervisor.shut_down()
        raise
    return Running(supervisor, _greeting(settings))


def _asked(arguments: Sequence[str], role: str, host: str, port: int, path: str) -> Part:
    return Part(role, 0, (*arguments, role), lambda: _answers(host, port, path))


def _engine(settings: Settings, arguments: Sequence[str]) -> Part:
    engine = settings.clickhouse.engine
    return _asked(arguments, "clickhouse", engine.host, engine.port, "/ping")


def _marked(settings: Settings, arguments: Sequence[str], role: str, index: int) -> Part:
    mark = ready_mark(settings, f"{role}-{index}")
    return Part(role, index, (*arguments, role, "--index", str(index)), mark.exists)


def _doors(settings: Settings, arguments: Sequence[str]) -> list[Part]:
    """Collectors need nothing that is behind them, and the console shows what is wrong with it: they come first."""
    parts = [_marked(settings, arguments, "collector", index) for index in range(settings.pipeline.collector_count())]
    if settings.console.enabled:
        parts.append(_asked(arguments, "console", settings.console.host, settings.console.port, "/health"))
    return parts


def _behind(settings: Settings, arguments: Sequence[str]) -> list[Part]:
    """The proxy, which has collectors to lead to by now, and the embedded engine."""
    parts = []
    if settings.tls.enabled:
        parts.append(Part("proxy", 0, (*arguments, "proxy", "run"), ready_mark(settings, "proxy-0").exists))
    if build.embedded(settings):
        parts.append(_engine(settings, arguments))
    return parts


def _workers(settings: Settings, arguments: Sequence[str]) -> list[Part]:
    parts = [_marked(settings, arguments, "pipeline", index) for index in range(settings.pipeline.worker_count())]
    if modelling.wanted(settings):
        parts.append(Part("modeller", 0, (*arguments, "modeller"), ready_mark(settings, "modeller-0").exists))
    return parts


def _refuse_taken_ports(settings: Settings) -> None:
    """Collectors share their port with each other, so the kernel would not refuse a stranger's."""
    wanted = {"collector.port": (settings.collector.interface, settings.collector.port)}
    if settings.console.enabled:
        wanted["console.port"] = (settings.console.host, settings.console.port)
    if build.embedded(settings):
        wanted["clickhouse.engine.port"] = (settings.clickhouse.engine.host, settings.clickhouse.engine.port)
    for key, (host, port) in wanted.items():
        with socket.socket() as probe:
            probe.settimeout(1)
            taken = probe.connect_ex((_ANY_ADDRESS.get(host, host), port)) == 0
        if taken:
            raise SettingsError(f"{key}: something else listens on port {port}; stop it or choose another port")


def _answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(_ANY_ADDRESS.get(host, host), port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def _greeting(settings: Settings) -> list[str]:
    host = _ANY_ADDRESS.get(settings.collector.interface, settings.collector.interface)
    lines = [f"collector   https://{name}" for name in settings.tls.domains]
    if settings.tls.console_domain:
        lines.append(f"console     https://{settings.tls.console_domain}")
    lines.append(f"collector   http://{host}:{settings.collector.port}")
    if settings.console.enabled:
        lines.append(f"console     http://{settings.console.host}:{settings.console.port}")
    if build.embedded(settings):
        lines.append(f"clickhouse  http://{settings.clickhouse.engine.host}:{settings.clickhouse.engine.port}")
    lines.append(f"data        {build.data_dir(settings)}")
    return [*lines, *_next_steps(settings)]


def _next_steps(settings: Settings) -> list[str]:
    """What a person does with a deployment that has just started; commands as they can be typed here."""
    beside = Path(sys.executable).with_name("snowgauge")
    command = "snowgauge" if shutil.which("snowgauge") else str(beside)
    if not shutil.which("snowgauge") and beside.is_relative_to(Path.cwd()):
        command = f"./{beside.relative_to(Path.cwd())}"
    lines = ["", f"demo data   {command} demo seed"]
    if settings.console.enabled:
        console = f"http://{settings.console.host}:{settings.console.port}"
        lines.insert(1, f"snippet     {console}/start (your site's tag, and a first event)")
        lines.append(f"docs        {console}/docs/")
    return lines
