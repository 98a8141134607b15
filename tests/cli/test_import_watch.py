"""`snowgauge import` as a process: it follows a folder, and a stop leaves nothing half done."""

import json
import os
import signal
import subprocess
import sys

import pytest

from snowgauge.delivery.spool import SpoolLog
from snowgauge.testing.cloudfront import log_line, write_log
from snowgauge.testing.deployment import wait_until

pytestmark = pytest.mark.e2e


def command(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SNOWPLOW_")}
    settings = {
        "common.data_dir": folder / "data",
        "eventlog.spool.min_free_bytes": "128 MB",
        "imports.watch_interval": "50 ms",
    }
    flags = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    return subprocess.Popen(
        [sys.executable, "-m", "snowgauge", *flags, "import", *arguments],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def hits(numbers):
    return [log_line(f"e=pv&p=web&aid={n}", request_id=f"r{n}") for n in numbers]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_follows_a_folder_until_it_is_stopped(tmp_path, how):
    logs = tmp_path / "logs"
    logs.mkdir()
    write_log(logs / "a.gz", hits(range(3)))
    log = SpoolLog(tmp_path / "data" / "spool")
    with command(tmp_path, "cloudfront", str(logs), "--watch", "--json") as running:
        wait_until(lambda: log.stats().entries == 3, "the first file is imported")
        write_log(logs / "b.gz", hits(range(2, 6)))
        wait_until(lambda: log.stats().entries == 6, "the second file is imported")
        running.send_signal(how)
        printed, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    totals = json.loads(printed)
    assert (totals["events"], totals["repeated"], totals["files"]) == (6, 1, 2)


def test_a_file_that_cannot_be_read_is_told_and_the_command_fails(tmp_path):
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8bnonsense")
    write_log(tmp_path / "b.gz", hits([1]))
    with command(tmp_path, "cloudfront", str(tmp_path / "a.gz"), str(tmp_path / "b.gz")) as running:
        printed, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "damaged gzip" in said
    assert "files not read to their end" in printed


def test_an_event_log_in_memory_would_lose_all(tmp_path):
    write_log(tmp_path / "b.gz", hits([1]))
    with command(tmp_path, "cloudfront", str(tmp_path / "b.gz"), "--set", "eventlog.url=memory://") as running:
        _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "needs an event log that lasts" in said
