"""Collectors and workers as processes of their own, each with a data folder as a machine would have, around one Kafka
and one PostgreSQL; and a load that knows what was acknowledged."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from snowgauge.testing.deployment import free_port, wait_until

_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"


class Spread:
    """``collectors`` and ``workers`` processes. ``settings`` are ``section.key: value`` of all of them."""

    def __init__(self, folder: Path, settings: Mapping[str, str], *, collectors: int, workers: int) -> None:
        self.folder = folder
        self.ports = [free_port() for _ in range(collectors)]
        self._settings = {
            "common.run_as_root": "true",
            "console.enabled": "false",
            "iglu.iglu_central": "false",
            "pipeline.auto_recover": "false",
            "pipeline.drain_timeout": "5 s",
            **settings,
        }
        self._roles = [f"collector-{n}" for n in range(collectors)] + [f"pipeline-{n}" for n in range(workers)]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def workers(self) -> list[str]:
        return [name for name in self._roles if name.startswith("pipeline")]

    def start(self, within: float = 240) -> Spread:
        for name in self._roles:
            if name not in self._processes:
                self.start_one(name)
        wait_until(lambda: all(map(self._ready, self._roles)), "all processes are at work", within=within)
        return self

    def wait_for(self, name: str, within: float = 240) -> None:
        wait_until(lambda: self._ready(name), f"{name} is at work", within=within)

    def start_one(self, name: str) -> None:
        role, _, index = name.partition("-")
        data = self.folder / name
        (data / "run" / f"{role}-0.ready").unlink(missing_ok=True)
        given = {**self._settings, "common.data_dir": str(data)}
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SNOWPLOW_")}
        environment |= {"SNOWPLOW_" + key.upper().replace(".", "__"): value for key, value in given.items()}
        command = [sys.executable, "-m", "snowgauge", role]
        if role == "collector":
            command += ["--host", "127.0.0.1", "--port", str(self.ports[int(index)])]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603

    def _ready(self, name: str) -> bool:
        process = self._processes[name]
        if process.poll() is not None:
            raise AssertionError(f"{name} ended: see {self.folder}/{name}.log")
        return (self.folder / name / "run" / f"{name.partition('-')[0]}-0.ready").exists()

    def kill(self, name: str) -> None:
        """As a power cut ends it; started again at once."""
        self._processes[name].kill()
        self._processes[name].wait()
        self.start_one(name)

    def pause(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()


class SpreadLoad:
    """Sends page views to the collectors, one after the other in a thread for each, none twice."""

    def __init__(self, ports: list[int]) -> None:
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self.unanswered: set[str] = set()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(port,)) for port in ports]

    def __enter__(self) -> SpreadLoad:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, port: int) -> None:
        while not self._stop.wait(0.01):
            ids = {str(uuid.uuid4()) for _ in range(random.randint(1, 10))}  # noqa: S311 - a number of events
            events = [{"e": "pv", "p": "web", "tv": "t", "aid": "load", "eid": name} for name in ids]
            body = json.dumps({"schema": _DATA, "data": events})
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/com.snowplowanalytics.snowplow/tp2", body, headers)
                status = connection.getresponse().status
                (self.acknowledged if status == 200 else self.refused).update(ids)
            except (OSError, http.client.HTTPException):
                self.unanswered |= ids
                time.sleep(0.2)
            finally:
                connection.close()
