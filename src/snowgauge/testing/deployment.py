"""A whole Snowgauge in real processes, for tests that send events in at one end and ask for them at the other."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from snowgauge.delivery.spool import SpoolLog
from snowgauge.store.clickhouse.passwords import FILE as PASSWORD_FILE
from snowgauge.store.clickhouse.passwords import kept


def free_port() -> int:
    """A port that nobody listens on at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: str, *, within: float = 180.0) -> None:
    """Return once the condition holds; an ``AssertionError`` that says ``what`` did not happen otherwise."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:.0f} s: {what}")
        time.sleep(0.05)


class Deployment:
    """``snowgauge serve`` on free loopback ports with a data folder of its own.

    ``settings`` are ``section.key: value`` on top. What the processes say goes to ``log_file``. As a context manager
    it starts and stops; ``start`` after ``stop`` or ``kill`` goes on with the same data and the same ports.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.port, self.console_port, self.engine_port = free_port(), free_port(), free_port()
        self.log_file = data_dir.parent / f"{data_dir.name}.log"
        given = {
            "common.data_dir": str(data_dir),
            "common.run_as_root": "true",
            "console.port": str(self.console_port),
            "clickhouse.engine.port": str(self.engine_port),
            "eventlog.spool.min_free_bytes": "128 MB",
            **(settings or {}),
        }
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("SNOWPLOW_")}
        for key, value in given.items():
            self._environment["SNOWPLOW_" + key.upper().replace(".", "__")] = value
        self._spool = Path(given.get("eventlog.spool.folder", data_dir / "spool"))
        self._embedded = "store.url" not in given
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The collector's address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str, within: float = 180.0) -> None:
        """Start all processes, with options of ``serve``; wait until the collector answers and workers are at work."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "snowgauge", "serve", "--host", "127.0.0.1", "--port", str(self.port), *options],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_dir.parent,
            )
        try:
            wait_until(self.ready, "the deployment is ready", within=within)
        except AssertionError as error:
            self.kill_all()
            raise AssertionError(f"{error}\n{self.log_tail()}") from None

    def ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"snowgauge serve ended unasked\n{self.log_tail()}")
        return (
            self.collector_up()
            and (self.engine_up() or not self._embedded)
            and (self.data_dir / "run" / "pipeline-0.ready").exists()
            and self._alive("pipeline")
        )

    @property
    def running(self) -> bool:
        """Was it started, and has its supervisor not ended?"""
        return self._process is not None and self._process.poll() is None

    def _alive(self, role: str) -> bool:
        try:
            os.kill(self.pid(role), 0)
        except (OSError, ValueError):
            return False
        return True

    def collector_up(self) -> bool:
        return self.answers(self.port)

    def engine_up(self) -> bool:
        return _status(self.engine_port, "/ping") == 200

    def stop(self, *, within: float = 180.0) -> int:
        """Ask everything to stop in order, as Ctrl-C does; returns the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError(f"did not stop within {within:.0f} s\n{self.log_tail()}") from None

    def pid(self, role: str, index: int = 0) -> int:
        """The process id of a role as the supervisor wrote it down."""
        return int((self.data_dir / "run" / f"{role}-{index}.pid").read_text())

    def kill(self, role: str, index: int = 0) -> bool:
        """kill -9 one role's process; the supervisor starts it again. False when it was not running just now."""
        try:
            os.kill(self.pid(role, index), signal.SIGKILL)
        except (OSError, ValueError):
            return False
        return True

    def kill_all(self) -> None:
        """kill -9 everything at once, supervisor first, as a power cut does to processes."""
        assert self._process is not None
        self._process.kill()
        for file in (self.data_dir / "run").glob("*.pid"):
            role, _, index = file.stem.rpartition("-")
            self.kill(role, int(index))
        self._process.wait()
        wait_until(lambda: not (self.collector_up() or self.engine_up()), "all processes have ended")

    def _environment_of(self, folder: str | None) -> dict[str, str]:
        """The children's environment; ``folder`` is a data folder beside the deployment's, for roles that run apart."""
        if folder is None:
            return self._environment
        return {**self._environment, "SNOWPLOW_COMMON__DATA_DIR": str(self.data_dir.with_name(folder))}

    def command(self, *arguments: str, stdin: bytes | None = None, folder: str | None = None) -> bytes:
        """What a ``snowgauge`` command prints with this deployment's settings. Raises when it fails."""
        done = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "snowgauge", *arguments],
            env=self._environment_of(folder),
            input=stdin,
            capture_output=True,
            cwd=self.data_dir.parent,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"snowgauge {' '.join(arguments)}: {done.returncode}\n{done.stderr.decode()}")
        return done.stdout

    def role(self, *arguments: str, folder: str) -> subprocess.Popen[bytes]:
        """Start one role alone on a data folder of its own. The caller ends it."""
        with self.log_file.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "snowgauge", *arguments],
                env=self._environment_of(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_dir.parent,
            )

    def answers(self, port: int) -> bool:
        """Does a collector answer at a port?"""
        return _status(port, "/health") == 200

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Rows of a query, asked at the embedded engine's own HTTP interface. Raises ``OSError`` when it is down."""
        connection = http.client.HTTPConnection("127.0.0.1", self.engine_port, timeout=30)
        try:
            connection.request(
                "POST",
                "/?" + urllib.parse.urlencode({"default_format": "JSONEachRow"}),
                body=query.encode(),
                headers={
                    "X-ClickHouse-User": "default",
                    "X-ClickHouse-Key": kept(self.data_dir / PASSWORD_FILE).get_secret_value(),
                },
            )
            response = connection.getresponse()
            body = response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        if response.status != 200:
            raise AssertionError(f"{response.status}: {body.decode(errors='replace')}")
        return [json.loads(line) for line in body.splitlines()]

    def stored(self, condition: str = "1") -> tuple[int, int]:
        """Good and failed rows; the condition is on the good ones."""
        good = self.sql(f"SELECT toUInt32(count()) AS n FROM atomic.events WHERE {condition}")[0]["n"]  # noqa: S608
        failed = self.sql("SELECT toUInt32(count()) AS n FROM atomic.failed_events FINAL")[0]["n"]
        return good, failed

    def backlog(self) -> int:
        """Entries that wait in the event log."""
        return SpoolLog(self._spool).stats().entries

    def events(self, app_id: str, count: int, *, within: float = 180.0) -> list[dict[str, Any]]:
        """All events of an application once there are ``count`` of them (and no failed ones of its)."""
        where = f"app_id = '{app_id}'"

        def arrived() -> bool:
            try:
                return self.stored(where)[0] >= count
            except OSError:
                return False

        try:
            wait_until(arrived, f"{count} events of {app_id}", within=within)
        except AssertionError as error:
            found = self.sql(f"SELECT event_name FROM atomic.events WHERE {where}")  # noqa: S608
            failed = self.sql("SELECT * FROM atomic.failed_events LIMIT 5")
            raise AssertionError(f"{error}; found {found}; failed {failed}") from None
        return self.sql(
            f"SELECT * FROM atomic.events WHERE {where} ORDER BY derived_tstamp, dvce_created_tstamp"  # noqa: S608
        )

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Deployment:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.stop()


def _status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
