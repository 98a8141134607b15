"""What the collector counts, and what it does with what nobody foresaw."""

from __future__ import annotations

import uuid

import pytest
from prometheus_client import REGISTRY

from snowgauge.collector.app import create_app
from snowgauge.collector.random_uuids import RandomUuids
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.memory import MemoryLog
from snowgauge.errors import LogUnavailable
from snowgauge.testing.asgi import Client


def total(name, **labels):
    return REGISTRY.get_sample_value(f"snowgauge_{name}", labels) or 0.0


@pytest.mark.parametrize(
    ("method", "target", "body", "name", "labels"),
    [
        ("GET", "/i", [b""], "collector_requests_total", {"method": "GET", "status": "2xx"}),
        ("BREW", "/i", [b""], "collector_requests_total", {"method": "other", "status": "4xx"}),
        ("POST", "/a/b", [b"x", None], "collector_refused_total", {"reason": "incomplete"}),
        ("POST", "/a/b", [b"x" * 2_097_152], "collector_refused_total", {"reason": "too_large"}),
        ("GET", "/i?" + "x" * 30_000, [b""], "collector_refused_total", {"reason": "malformed"}),
        ("GET", "/i", [b""], "collector_request_seconds_count", {}),
    ],
)
def test_each_request_is_counted_once(method, target, body, name, labels):
    before = total(name, **labels)
    with Client(create_app(CollectorSettings(), MemoryLog().writer())) as client:
        client.request(method, target, body=body)
    assert total(name, **labels) == before + 1


def test_bytes_are_counted_when_kept_and_only_then():
    before = total("collector_payload_bytes_total")
    refused = total("collector_refused_total", reason="log_unavailable")
    log = MemoryLog()
    with Client(create_app(CollectorSettings(), log.writer())) as client:
        client.request("GET", "/i")
    closed = log.writer()
    closed.close()
    with pytest.raises(LogUnavailable):
        closed.append([])
    with Client(create_app(CollectorSettings(), closed)) as client:
        assert client.request("GET", "/i").status == 503
    assert total("collector_payload_bytes_total") - before == log.stats().bytes
    assert total("collector_refused_total", reason="log_unavailable") == refused + 1


def test_a_fault_of_the_collector_is_a_503_and_counted():
    def broken_clock():
        raise ZeroDivisionError

    before = total("collector_refused_total", reason="error")
    log = MemoryLog()
    with Client(create_app(CollectorSettings(), log.writer(), clock=broken_clock)) as client:
        answer = client.request("POST", "/a/b", [("Origin", "https://a.example")], b"x")
    assert (answer.status, answer["retry-after"]) == (503, "5")
    assert answer["access-control-allow-origin"] == "https://a.example"
    assert total("collector_refused_total", reason="error") == before + 1
    assert log.stats().entries == 0


def test_fresh_ids_are_version_4_and_never_the_same():
    make = RandomUuids()
    made = [make() for _ in range(5000)]
    assert len(set(made)) == 5000
    for text in made[:600]:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)
    assert {text[19] for text in made} == set("89ab")
