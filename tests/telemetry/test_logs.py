"""Log lines: what they hold, and what they must not."""

from __future__ import annotations

import io
import json
import logging

import pytest

from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.errors import LogUnavailable
from snowgauge.telemetry import logs
from snowgauge.testing.asgi import Client
from snowgauge.testing.console import Browser, PrivatePort

JANE = "jane@example.com"


@pytest.fixture
def said():
    stream = io.StringIO()
    logs.configure("INFO", json_format=True, stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_text_of_an_exception_that_is_not_ours_is_left_out(said):
    try:
        try:
            {}[JANE]
        except KeyError as error:
            raise ValueError(f"no {JANE}") from error
    except ValueError:
        logs.logger("x").exception("broken")
    (line,) = said()
    assert JANE not in json.dumps(line)
    assert "KeyError" in line["exception"]
    assert "which led to:" in line["exception"]
    assert "ValueError" in line["exception"]
    assert "test_logs.py" in line["exception"]


def test_ours_and_the_systems_are_told(said):
    for error in (LogUnavailable("the disk is full"), FileNotFoundError(2, "No such file", "/data/x")):
        logs.logger("x").error("broken", exc_info=error)
    first, second = said()
    assert first["exception"].endswith("LogUnavailable: the disk is full")
    assert "/data/x" in second["exception"]


def test_a_group_tells_of_each_and_a_circle_ends(said):
    inner = ValueError(JANE)
    group = ExceptionGroup(f"for {JANE}", [inner, KeyError("x")])
    inner.__cause__ = group
    logs.logger("x").error("broken", exc_info=group)
    (line,) = said()
    assert JANE not in json.dumps(line)
    assert line["exception"].count("ValueError") == 1
    assert "KeyError" in line["exception"]


def test_lines_of_libraries_are_blanked(said):
    logging.getLogger("some.library").warning("retrying /?user=%s for %s", "7", JANE)
    (line,) = said()
    assert line["event"] == "retrying /?*** for ***"


def test_tracebacks_of_libraries_are_told_in_the_same_way(said):
    try:
        raise ValueError(JANE)
    except ValueError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    (line,) = said()
    assert line["event"] == "Task exception was never retrieved"
    assert "ValueError" in line["exception"]
    assert JANE not in json.dumps(line)


def test_at_debug_nothing_is_left_out():
    stream = io.StringIO()
    logs.configure("DEBUG", json_format=True, stream=stream)
    logs.logger("x").error("broken", exc_info=ValueError(JANE))
    assert JANE in json.loads(stream.getvalue())["exception"]


def test_text_for_people_shows_no_local_variables():
    stream = io.StringIO()
    logs.configure("INFO", stream=stream)
    visitor = JANE
    try:
        raise ValueError(visitor)
    except ValueError:
        logs.logger("x").exception("broken")
    assert "ValueError" in stream.getvalue()
    assert JANE not in stream.getvalue()


def test_the_collector_names_a_request_that_failed_in_the_log_and_to_whoever_sent_it(said):
    class Broken:
        def append(self, entries):
            raise AssertionError

        def healthy(self):
            return True

        def close(self):
            pass

    async def page(scope, receive, send):
        raise ValueError(JANE)

    with Client(create_app(CollectorSettings(), Broken(), more={"/page": page})) as client:
        answer = client.request("GET", f"/page/{JANE}")
    assert answer.status == 503
    line = next(line for line in said() if line["event"] == "request_failed")
    assert line["request"] == answer["x-request-id"]
    assert JANE not in json.dumps(said())


def test_the_private_port_names_each_request(said, tmp_path):
    port = PrivatePort(tmp_path)

    @port.app.get("/boom/{who}")
    def boom(who: str):
        logs.logger("x").warning("noticed")
        raise ValueError(who)

    client = Browser(port.app)
    answer = client.request("GET", f"/boom/{JANE}")
    assert answer.status_code == 500
    assert [line["event"] for line in said()] == ["noticed", "request_failed"]
    assert {line["request"] for line in said()} == {answer.headers["x-request-id"]}
    assert said()[1]["path"] == "/boom/{who}"
    assert JANE not in json.dumps(said()) + answer.text
    first, second = (client.request("GET", "/health").headers["x-request-id"] for _ in range(2))
    assert first != second
    kept = client.request("GET", "/health", headers={"x-request-id": "proxy-0123abc"})
    assert kept.headers["x-request-id"] == "proxy-0123abc"
    forged = client.request("GET", "/health", headers={"x-request-id": f'{JANE}"'})
    assert JANE not in forged.headers["x-request-id"]
    port.close()
