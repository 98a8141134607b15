"""The embedded ClickHouse engine as a real process, for tests and benchmarks: start, kill, start again."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import psutil  # type: ignore[import-untyped,unused-ignore]

from snowgauge.errors import StoreUnavailable

_PROGRAM = """
import sys
from pathlib import Path
from snowgauge.store.clickhouse.engine.server import EngineServer, run
from snowgauge.store.settings import EngineSettings
settings = EngineSettings.model_validate_json(sys.argv[2])
port_file = Path(sys.argv[3])
started = EngineServer.start
def start(self):
    started(self)
    port_file.with_suffix(".new").write_text(str(self.port))
    port_file.with_suffix(".new").rename(port_file)
EngineServer.start = start
run(settings, Path(sys.argv[1]), stop_with_parent=True)
"""


class EngineProcess:
    """One engine over one folder. ``url`` is known once it is up."""

    def __init__(self, path: Path, **settings: object) -> None:
        from snowgauge.store.settings import EngineSettings

        self.path = path
        self._settings = EngineSettings.model_validate({"port": 0, **settings})
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self, seconds: float = 60) -> EngineProcess:
        self.path.mkdir(parents=True, exist_ok=True)
        port_file = self.path.with_name(self.path.name + ".port")
        port_file.unlink(missing_ok=True)
        values = self._settings.model_dump(mode="json") | {
            "password": self._settings.password.get_secret_value(),
            "maintenance_password": self._settings.maintenance_password.get_secret_value(),
        }
        import msgspec

        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", _PROGRAM, str(self.path), msgspec.json.encode(values).decode(), str(port_file)]
        )
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise StoreUnavailable(f"the engine over {self.path} ended with status {self._process.returncode}")
            if port_file.exists():
                self.url = f"http://127.0.0.1:{port_file.read_text()}"
                if self._ready():
                    return self
            time.sleep(0.02)
        raise StoreUnavailable(f"the engine over {self.path} did not start within {seconds} seconds")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def memory(self) -> int:
        """Bytes that the process holds resident."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it as a supervisor would: SIGTERM. Returns the exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(60)

    def _ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/ping", timeout=5) as answer:  # noqa: S310 - our own loopback address
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


class Answer:
    """What came back to a request, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        try:
            self.body = response.read()
        except http.client.IncompleteRead as broken:
            self.body = broken.partial

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    engine: EngineProcess, body: bytes | str | None = None, *, method: str = "POST", path: str = "/",
    headers: dict[str, str] | None = None, **parameters: Any,
) -> Answer:  # fmt: skip
    """One request to the engine as any client could send it; ``parameters`` go into the address."""
    parts = urlsplit(engine.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    try:
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        connection.request(method, target, body.encode() if isinstance(body, str) else body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()
