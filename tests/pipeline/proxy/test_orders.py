"""Failed orders pause, longer each time; what a proxy says becomes a reason and a cure."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from snowgauge.pipeline.proxy.messages import CURES, Refused, Trouble, read
from snowgauge.pipeline.proxy.orders import LONGEST_PAUSE, Orders

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def orders(tmp_path, directory="https://ca.example/dir"):
    return Orders(tmp_path / "orders.json", directory, 15 * MINUTE)


def test_the_pause_doubles_up_to_a_day(tmp_path):
    made, now, pauses = orders(tmp_path), START, []
    for _ in range(10):
        failure = made.failed("a.example", "r", "c", now)
        pauses.append(failure.again - now)
        assert made.may_order(["a.example", "b.example"], now) == {"b.example"}
        now = failure.again
        assert made.may_order(["a.example"], now) == {"a.example"}
    assert pauses[:4] == [15 * MINUTE, 30 * MINUTE, 60 * MINUTE, 120 * MINUTE]
    assert pauses[-1] == LONGEST_PAUSE
    assert sum(pause < timedelta(hours=1) for pause in pauses) + 1 < 5, "Let's Encrypt allows 5 failures an hour"


def test_a_failure_during_the_pause_does_not_count(tmp_path):
    made = orders(tmp_path)
    first = made.failed("a.example", "r", "c", START)
    assert made.failed("a.example", "r", "c", START + MINUTE) == first


def test_failures_outlive_restarts_but_not_another_authority(tmp_path):
    failure = orders(tmp_path).failed("a.example", "why", "cure", START)
    assert orders(tmp_path).failures == {"a.example": failure}
    assert orders(tmp_path, "https://other.example/dir").failures == {}
    assert not (tmp_path / "orders.json").stat().st_mode & 0o077


def test_what_another_process_forgets_is_seen(tmp_path):
    running, command = orders(tmp_path), None
    running.failed("a.example", "r", "c", START)
    command = orders(tmp_path)
    command.forget(["a.example"])
    assert running.reload()
    assert running.failures == {}
    assert not running.reload()


def test_threads_and_processes_do_not_undo_each_others_changes(tmp_path):
    running, command = orders(tmp_path), orders(tmp_path)
    names = [f"{number}.example" for number in range(40)]
    ended = threading.Event()

    def look():
        while not ended.is_set():
            running.reload()

    def fail(made, mine):
        for name in mine:
            made.failed(name, "r", "c", START)

    looking = threading.Thread(target=look)
    failing = [
        threading.Thread(target=fail, args=(made, names[start::4]))
        for start, made in enumerate((running, running, command, command))
    ]
    for thread in (looking, *failing):
        thread.start()
    for thread in failing:
        thread.join()
    ended.set()
    looking.join()
    assert set(orders(tmp_path).failures) == set(names)


def test_a_damaged_file_is_as_none(tmp_path):
    (tmp_path / "orders.json").write_text('{"directory": "https://ca.ex')
    made = orders(tmp_path)
    assert made.failures == {}
    made.failed("a.example", "r", "c", START)
    assert set(orders(tmp_path).failures) == {"a.example"}


def traefik_line(kind, detail):
    what = "unable to generate a certificate for the domains [a.example]"
    error = f"{what}: [a.example: acme: error: 400 :: {kind} :: {detail}]"
    return json.dumps(
        {
            "level": "error",
            "error": error,
            "domains": ["a.example"],
            "message": "Unable to obtain ACME certificate for domains",
        }
    ).encode()


@pytest.mark.parametrize("kind", sorted(set(CURES) - {"dns"}))
def test_each_reason_of_the_authority_has_its_cure(kind):
    said = read(traefik_line(f"urn:ietf:params:acme:error:{kind}", "the detail"), challenge_port=80)
    assert said == Refused(["a.example"], f"{kind}: the detail", CURES[kind].format(port=80))


def test_a_reason_that_is_not_known_is_passed_on():
    said = read(traefik_line("urn:ietf:params:acme:error:novel", "the detail"), challenge_port=80)
    assert isinstance(said, Refused)
    assert said.reason == "novel: the detail"


@pytest.mark.parametrize(
    ("line", "names", "renewal"),
    [
        (
            {"level": "error", "message": "Error renewing ACME certificate: {a.example []}", "error": "x"},
            ["a.example"],
            True,
        ),
        (
            {
                "level": "error",
                "msg": "could not get certificate from issuer",
                "identifier": "b.example",
                "error": "HTTP 400 urn:ietf:params:acme:error:dns - no A record",
            },
            ["b.example"],
            False,
        ),
    ],
)
def test_both_proxies_and_renewals_are_understood(line, names, renewal):
    said = read(json.dumps(line).encode(), challenge_port=80)
    assert isinstance(said, Refused)
    assert (said.names, said.renewal) == (names, renewal)


def test_other_errors_are_passed_on_and_chatter_is_not():
    assert read(b'{"level":"error","message":"broken","error":"why"}', challenge_port=80) == Trouble("broken: why")
    assert read(b"panic: oh no", challenge_port=80) == Trouble("panic: oh no")
    assert read(b'{"level":"info","message":"Starting provider"}', challenge_port=80) is None
    assert read(b'{"level":"warn","message":"x"}', challenge_port=80) is None
    assert read(b"\n", challenge_port=80) is None
