"""The supervisor starts, restarts and stops processes in order. It is given stand-ins for the roles."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from snowgauge.errors import SettingsError, SnowgaugeError
from snowgauge.pipeline.supervisor import Part, Supervisor
from snowgauge.telemetry.logs import _StandardError

ROLE = """
import signal, sys, time, pathlib
if sys.argv[1] == "bad":
    sys.exit(2)
if sys.argv[1] == "broken":
    sys.exit(3)
file = pathlib.Path(sys.argv[2])
def note(word):
    with file.open("a") as out: out.write(f"{sys.argv[1]} {word}\\n")
def stop(*_):
    note("stopped"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
if sys.argv[1] == "slow":
    note("waits")
    while not file.with_name("go").exists(): time.sleep(0.02)
note("started")
while True: time.sleep(0.05)
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    package = tmp_path / "path" / "snowgauge"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(ROLE)
    (package / "__init__.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "path")}
    made = Supervisor(tmp_path / "run", environment=environment, backlog=lambda: 0, drain_timeout=5, tell_every=0.05)
    made.claim()
    yield made
    made.shut_down()


def part(role: str, notes: Path) -> Part:
    return Part(role, 0, (role, str(notes)), ready=lambda: notes.exists() and f"{role} started" in notes.read_text())


def lines(notes: Path) -> list[str]:
    return notes.read_text().splitlines() if notes.exists() else []


def wait_for(condition: object) -> None:
    for _ in range(400):
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError("did not come true")


def test_parts_stop_in_the_order_of_the_flow(supervisor: Supervisor, notes: Path) -> None:
    for role in ("clickhouse", "pipeline", "collector", "console", "proxy"):
        supervisor.start([part(role, notes)])
    supervisor.shut_down()
    stopped = [line for line in lines(notes) if line.endswith("stopped")]
    assert stopped == [
        "proxy stopped",
        "collector stopped",
        "pipeline stopped",
        "console stopped",
        "clickhouse stopped",
    ]


def test_a_part_that_is_killed_is_started_again(supervisor: Supervisor, notes: Path, tmp_path: Path) -> None:
    supervisor.start([part("pipeline", notes)])
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    try:
        os.kill(int((tmp_path / "run" / "pipeline-0.pid").read_text()), signal.SIGKILL)
        wait_for(lambda: lines(notes).count("pipeline started") == 2)
    finally:
        supervisor.stop.set()
        watching.join()


def test_a_disk_that_takes_no_files_ends_nothing(
    supervisor: Supervisor, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.start([part("pipeline", notes)])
    pid = tmp_path / "run" / "pipeline-0.pid"
    first = int(pid.read_text())
    full = threading.Event()
    full.set()
    write = Path.write_text

    def write_text(path: Path, text: str) -> int:
        if full.is_set():
            raise OSError(28, "No space left on device")
        return write(path, text)

    def no_room(_: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write_text)
    with monkeypatch.context() as patched:
        patched.setattr(sys.stderr, "write", no_room)
        _StandardError().write("a line")
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    try:
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: lines(notes).count("pipeline started") == 2)
        full.clear()
        wait_for(lambda: int(pid.read_text()) != first)
    finally:
        supervisor.stop.set()
        watching.join()


class Starting:
    """``start`` in a thread of its own, with what the supervisor says of it."""

    def __init__(self, supervisor: Supervisor, *parts: Part) -> None:
        self.said: list[dict[str, str]] = []
        supervisor._log = self  # type: ignore[assignment]
        self.thread = threading.Thread(target=supervisor.start, args=(parts,))
        self.thread.start()

    def warning(self, event: str, **fields: str) -> None:
        self.said.append({"event": event, **fields})

    error = warning

    def told(self, process: str, why: str) -> bool:
        return any(line.get("process") == process and why in line.get("why", "") for line in self.said)


def test_a_slow_part_is_waited_for_and_others_that_die_meanwhile_are_started_again(
    supervisor: Supervisor, notes: Path, tmp_path: Path
) -> None:
    supervisor.start([part("collector", notes)])
    starting = Starting(supervisor, part("slow", notes))
    try:
        wait_for(lambda: starting.told("slow-0", "it is starting"))
        (tmp_path / "run" / "slow-0.waiting").write_text("the store: nobody answers\n")
        wait_for(lambda: starting.told("slow-0", "the store: nobody answers"))
        os.kill(int((tmp_path / "run" / "collector-0.pid").read_text()), signal.SIGKILL)
        wait_for(lambda: lines(notes).count("collector started") == 2)
        assert starting.thread.is_alive()
    finally:
        (tmp_path / "go").touch()
        starting.thread.join()
    assert lines(notes).count("slow started") == 1


def test_a_part_that_ends_at_its_start_is_tried_again_and_takes_no_other_with_it(
    supervisor: Supervisor, notes: Path
) -> None:
    supervisor.start([part("collector", notes)])
    starting = Starting(supervisor, Part("broken", 0, ("broken", str(notes)), ready=lambda: False))
    try:
        wait_for(lambda: starting.told("broken-0", "it ended with code 3"))
        assert lines(notes) == ["collector started"]
    finally:
        supervisor.stop.set()
        starting.thread.join()


def test_a_part_that_cannot_use_its_settings_ends_the_start(supervisor: Supervisor, notes: Path) -> None:
    with pytest.raises(SnowgaugeError, match="bad-0 cannot use its settings"):
        supervisor.start([Part("bad", 0, ("bad", str(notes)), ready=lambda: False)])


def test_a_mark_of_the_process_before_is_not_taken_for_that_of_the_next(
    supervisor: Supervisor, notes: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "run" / "slow-0.ready"
    mark.touch()
    starting = Starting(supervisor, Part("slow", 0, ("slow", str(notes)), mark.exists))
    wait_for(lambda: starting.told("slow-0", "it is starting"))
    mark.touch()
    starting.thread.join()


def test_a_second_supervisor_on_the_same_folder_is_refused(supervisor: Supervisor, tmp_path: Path) -> None:
    second = Supervisor(tmp_path / "run", environment={}, backlog=lambda: 0, drain_timeout=1)
    with pytest.raises(SettingsError, match="another snowgauge runs"):
        second.claim()


@pytest.mark.skipif(sys.platform != "linux", reason="a child is told of its parent's death on Linux only")
def test_parts_end_when_the_supervisor_is_killed(tmp_path: Path, notes: Path) -> None:
    package = tmp_path / "path" / "snowgauge"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(ROLE)
    script = f"""
import os, sys, time
from pathlib import Path
from snowgauge.pipeline.supervisor import Part, Supervisor
environment = {{**os.environ, "PYTHONPATH": {str(tmp_path / "path")!r}}}
made = Supervisor(Path({str(tmp_path / "run")!r}), environment=environment, backlog=lambda: 0, drain_timeout=1)
made.claim()
made.start([Part("pipeline", 0, ("pipeline", {str(notes)!r}))])
time.sleep(60)
"""
    import subprocess

    (package / "__init__.py").write_text("")
    process = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: lines(notes) == ["pipeline started"])
    process.kill()
    process.wait()
    wait_for(lambda: lines(notes)[-1] == "pipeline stopped")
