"""`snowgauge micro` as a process: what it writes, where it posts, what it refuses."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request

import pytest

from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.micro import Micro
from snowgauge.testing.web import serving

QUIET = ("--set", "iglu.iglu_central=false", "--set", "logging.level=WARNING")


def track(micro, query="e=pv&aid=shop"):
    with urllib.request.urlopen(f"{micro.url}/i?{query}", timeout=30) as answer:
        assert answer.status == 200


def lines(micro):
    return [line for line in micro.log.splitlines() if "shop" in line and "BAD" not in line]


@pytest.mark.e2e
@pytest.mark.parametrize("flag", ["--output-tsv", "-j"])
def test_events_are_written_as_they_come(flag) -> None:
    with Micro(*QUIET, flag) as micro:
        track(micro)
        track(micro, "e=pv&aid=shop&eid=bad")
    valid, incomplete = lines(micro)
    if flag == "-j":
        assert json.loads(valid)["app_id"] == "shop"
        assert "contexts_com_snowplowanalytics_snowplow_failure_1" in json.loads(incomplete)
    else:
        assert [len(line.split("\t")) for line in (valid, incomplete)] == [len(ATOMIC_FIELDS)] * 2


@pytest.mark.e2e
def test_events_are_posted_and_a_deaf_destination_costs_no_request() -> None:
    with serving() as web:
        answers = iter([(500, b""), (200, b"")])
        web.answers["/in"] = lambda _: next(answers)
        with Micro(*QUIET, "--output-tsv", "--destination", f"{web.url}/in", "--no-storage") as micro:
            for _ in range(2):
                track(micro)
            assert micro.request("GET", "/micro/all") == (404, b"")
            wait_until(lambda: len(web.asked) == 2, "both batches were posted")
        assert web.asked[1].headers["content-type"] == "text/tab-separated-values"
        assert web.asked[1].body.startswith(b"shop\t")
        assert "output_not_delivered" in micro.log


@pytest.mark.e2e
def test_events_are_told_on_standard_error() -> None:
    with Micro("--set", "iglu.iglu_central=false") as micro:
        track(micro)
        track(micro, "e=pv&eid=bad")
    schema = "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0"
    assert f"app_id:shop type:page_view ({schema})" in micro.log
    assert "BAD {" in micro.log


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-t", "-j"], "exclude each other"),
        (["--destination", "http://x"], "--destination needs"),
        (["--collector-config", "none.conf"], "none.conf is not a file"),
    ],
)
def test_options_that_do_not_fit(arguments, text) -> None:
    done = run(*arguments)
    assert (done.returncode, text in done.stderr) == (2, True), done.stderr


@pytest.mark.e2e
def test_a_port_that_somebody_listens_on_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--host", "127.0.0.1", "--port", str(taken.getsockname()[1]), *QUIET)
    assert done.returncode == 2
    assert "something else listens on port" in done.stderr


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "snowgauge", "micro", *arguments],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.e2e
def test_a_test_suite_waits_for_nothing_that_micro_does_not_need() -> None:
    """Start-up is imports: those of the private port and of databases would double it."""
    heavy = ("fastapi", "chdb", "clickhouse_connect", "psycopg", "jwt", "snowgauge.cli.serve_command")
    program = (
        "import sys; sys.argv[:] = ['snowgauge', 'micro']; import snowgauge.cli.main, snowgauge.pipeline.build, "
        f"snowgauge.pipeline.micro_options; print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "[]\n", done.stdout + done.stderr
