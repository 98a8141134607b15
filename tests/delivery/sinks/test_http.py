"""HTTP destinations: what is sent, what an answer means, what becomes a dead letter."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from snowgauge.delivery.contract import Processed
from snowgauge.delivery.dead_letters import DeadLetters
from snowgauge.delivery.followers import Followers
from snowgauge.delivery.settings import SinksSettings
from snowgauge.delivery.sinks.http import presets
from snowgauge.delivery.sinks.http.settings import HttpDestination
from snowgauge.delivery.sinks.http.sink import HttpSink, opened
from snowgauge.errors import SinkUnavailable
from snowgauge.events.outcome import Tally
from snowgauge.settings.load import load
from snowgauge.store.base import StoreBatch
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def sink(destination: Any) -> Iterator[Any]:
    made: list[HttpSink] = []

    def make(**settings: Any) -> HttpSink:
        settings = {"url": destination.url, "allow_private_hosts": True, "timeout": 5, **settings}
        made.append(opened(HttpDestination.model_validate(settings)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def page_views(*numbers: int, name: str = "p/0-9", **columns: Any) -> StoreBatch:
    return StoreBatch(name, [web_page_view(number, **columns) for number in numbers])


def test_events_go_in_batches_as_the_sdks_print_them(destination: Any, sink: Any) -> None:
    assert sink(events=2).deliver(page_views(1, 2, 3)) == []
    assert [len(body["events"]) for body in destination.bodies] == [2, 1]
    first = destination.bodies[0]["events"][0]
    assert first["event_id"] == web_page_view(1).event_id
    assert first["collector_tstamp"] == "2024-05-01T12:00:01Z"
    assert first["contexts_com_snowplowanalytics_snowplow_web_page_1"][0]["id"]
    assert destination.seen[0][1]["content-type"] == "application/json"


def test_only_what_is_selected_goes(destination: Any, sink: Any) -> None:
    made = sink(filter=["app_id:shop", "page_url:*n=2", "user_id:-"])
    made.deliver(StoreBatch("a", [web_page_view(1), web_page_view(2), web_page_view(2, user_id="ann")]))
    assert [event["page_urlquery"] for event in destination.bodies[0]["events"]] == ["ref=mail&n=2"]
    made.deliver(page_views(5, name="b"))
    assert len(destination.seen) == 1, "nothing selected is no request"


def test_failed_events_go_as_bad_rows(destination: Any, sink: Any) -> None:
    failed = schema_violation(1)
    sink(kind="failed").deliver(StoreBatch("a", [web_page_view(1)], [failed]))
    assert destination.bodies == [{"events": [json.loads(failed.bad_row_json())]}]


def test_a_template_says_what_is_sent(destination: Any, sink: Any) -> None:
    cart = described("iglu:com.acme/cart/jsonschema/1-0-0", {"total": 12.5, "items": [{"sku": "a"}]})
    event = web_page_view(1, contexts=[cart], se_value="3.50", tr_total="10.00", page_title="Ünï")
    fields = {
        "who": "{user_id|domain_userid}",
        "missing": "{user_id}",
        "at": "{collector_tstamp:ms}",
        "us": "{collector_tstamp:us}",
        "s": "{collector_tstamp:s}",
        "iso": "{collector_tstamp}",
        "title": "“{page_title}” {{x}} {user_id}",
        "total": "{contexts/com.acme/cart/1/total}",
        "version": "{contexts/com.acme/cart/1}",
        "money": "{tr_total}",
        "value": "{se_value}",
        "cookies": "{br_cookies}",
        "name": "{name}",
        "word": "{page_url:word}",
        "key": "{value.key}",
        "list": ["{page_urlport}", "{user_id}", 1],
        "data": "{data}",
    }
    sink(fields=fields, body="{item}", events=1, names={"page_view": "Viewed"}, values={"key": "k"}).deliver(
        StoreBatch("a", [event])
    )
    assert destination.bodies == [
        {
            "who": event.domain_userid,
            "at": NOON + 1000,
            "us": (NOON + 1000) * 1000,
            "s": NOON // 1000 + 1,
            "iso": "2024-05-01T12:00:01Z",
            "title": "“Ünï” {x} ",
            "total": 12.5,
            "version": "1-0-0",
            "money": 10.0,
            "value": 3.5,
            "cookies": True,
            "name": "Viewed",
            "word": "https_shop_example_com_products_1_ref_ma",
            "key": "k",
            "list": [443, 1],
        }
    ]


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_makes_a_request_of_an_ordinary_event(destination: Any, sink: Any, name: str) -> None:
    values = {"measurement_id": "G-1", "api_secret": "s&1", "api_key": "k"}
    made = sink(preset=name, values=values)
    event = web_page_view(1, user_id="ann")
    assert made.deliver(StoreBatch("a", [event])) == []
    (body,) = destination.bodies
    expected = {
        "webhook": lambda: body["events"][0]["user_id"] == "ann",
        "slack": lambda: set(body) == {"text"} and "page_view" in body["text"],
        "ga4": lambda: (
            (body["client_id"], body["user_id"], body["timestamp_micros"], body["events"][0]["name"])
            == (event.domain_userid, "ann", event.derived_tstamp * 1000, "page_view")
        ),
        "posthog": lambda: (
            (body["api_key"], body["batch"][0]["event"], body["batch"][0]["uuid"]) == ("k", "$pageview", event.event_id)
        ),
        "amplitude": lambda: (
            (body["api_key"], body["events"][0]["insert_id"], body["events"][0]["time"])
            == ("k", event.event_id, event.derived_tstamp)
        ),
    }
    assert expected[name]()


def test_a_preset_has_the_address_and_values_are_encoded_in_it() -> None:
    from snowgauge.delivery.sinks.http.plan import Plan

    made = HttpDestination.model_validate({"preset": "ga4", "values": {"measurement_id": "G-1", "api_secret": "a&b"}})
    assert Plan.of(made).url == "https://www.google-analytics.com/mp/collect?measurement_id=G-1&api_secret=a%26b"


def test_requests_are_signed_as_standard_webhooks_are(destination: Any, sink: Any) -> None:
    sink(signing_secret=SECRET).deliver(page_views(1))
    _, headers, _ = destination.seen[0]
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), headers["raw"]])
    mac = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 3600


def test_the_same_events_have_the_same_id_whatever_batch_they_come_in(destination: Any, sink: Any) -> None:
    for name in ("a", "b"):
        sink(signing_secret=SECRET).deliver(page_views(1, 2, name=name))
    first, second = (headers["webhook-id"] for _, headers, _ in destination.seen)
    assert first == second


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 503])
def test_trouble_of_the_destination_means_later(destination: Any, sink: Any, status: int) -> None:
    made = sink()
    destination.answer = lambda _: (status, {"retry-after": "7"}, b"over there")
    with pytest.raises(SinkUnavailable, match=f"answered {status}") as caught:
        made.deliver(page_views(1))
    assert caught.value.retry_after == 7
    destination.answer = lambda _: (204, {}, b"")
    assert made.deliver(page_views(1)) == []


def test_what_was_sent_of_a_batch_is_not_sent_again(destination: Any, sink: Any) -> None:
    made = sink(events=1)
    destination.answer = lambda body: (503 if "n=2" in body["events"][0]["page_url"] else 200, {}, b"")
    for _ in range(3):
        with pytest.raises(SinkUnavailable):
            made.deliver(page_views(1, 2, 3))
    destination.answer = lambda _: (200, {}, b"")
    made.deliver(page_views(1, 2, 3))
    assert [body["events"][0]["page_urlquery"][-1] for body in destination.bodies] == ["1", "2", "3"]


@pytest.mark.parametrize("connections", [1, 4])
def test_only_the_events_to_blame_are_refused(destination: Any, sink: Any, connections: int) -> None:
    def answer(body: Any) -> tuple[int, dict[str, str], bytes]:
        bad = [event for event in body["events"] if event["user_id"] == "bad"]
        return (400, {}, b"user_id: no") if bad else (200, {}, b"")

    destination.answer = answer
    events = [web_page_view(number, user_id="bad" if number in (3, 11) else "ok") for number in range(20)]
    refused = sink(events=8, connections=connections).deliver(StoreBatch("a", events))
    assert sorted(one.batch.events[0].event_id or "" for one in refused) == sorted(
        event.event_id or "" for event in (events[3], events[11])
    )
    assert {one.reason for one in refused} == {"answered 400: user_id: no"}
    sent = [event["event_id"] for body in destination.bodies for event in body["events"]]
    assert len(sent) == len(set(sent)) == 18


def test_an_event_too_large_for_any_request_is_refused_alone(destination: Any, sink: Any) -> None:
    batch = StoreBatch("a", [web_page_view(1), web_page_view(2, page_title="x" * 20_000), web_page_view(3)])
    (refused,) = sink(max_bytes=15_000).deliver(batch)
    assert refused.batch.events == [batch.events[1]]
    assert "max_bytes is 15000" in refused.reason
    assert all(len(headers["raw"]) <= 15_000 for _, headers, _ in destination.seen)


def test_numbers_and_texts_that_json_libraries_refuse_arrive(destination: Any, sink: Any) -> None:
    data = {"big": 2**70, "broken": "a\ud800b"}
    event = web_page_view(1, contexts=[described("iglu:com.acme/odd/jsonschema/1-0-0", data)], user_id="a\ud800")
    sink(body={"id": "{user_id}", "events": "{events}"}).deliver(StoreBatch("a", [event]))
    (body,) = destination.bodies
    assert body["id"] == "a?"
    assert body["events"][0]["contexts_com_acme_odd_1"][0]["big"] == 2**70


def test_a_request_that_is_never_taken_is_given_up_and_the_rest_goes(destination: Any, sink: Any) -> None:
    destination.answer = lambda body: (500 if "n=1" in body["events"][0]["page_url"] else 200, {}, b"poison")
    made = sink(events=1, give_up_after=0)
    (refused,) = made.deliver(page_views(1, 2))
    assert refused.batch.events == [web_page_view(1)]
    assert "given up" in refused.reason
    assert "answered 500: poison" in refused.reason
    assert len(destination.seen) == 1


def test_a_destination_that_hangs_is_waited_for_only_so_long(sink: Any) -> None:
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen()
        made = sink(url=f"http://127.0.0.1:{hung.getsockname()[1]}/secret-path", timeout="200 ms")
        with pytest.raises(SinkUnavailable, match="no answer in time") as caught:
            made.deliver(page_views(1))
    assert "secret-path" not in str(caught.value)


def test_the_inside_of_a_network_is_not_reached_unless_that_is_meant(destination: Any, sink: Any) -> None:
    with pytest.raises(SinkUnavailable, match="not a public address; set allow_private_hosts"):
        sink(allow_private_hosts=False).deliver(page_views(1))
    assert destination.asked == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "url: preset webhook has no address"),
        ({"url": "ftp://x"}, "expected http:// or https://"),
        ({"url": "https://user:hunter2@x/"}, "without a name and password"),  # pragma: allowlist secret
        ({"url": "https://x/{value.key}"}, "value.key"),
        ({"url": "https://x", "preset": "pipedream"}, "amplitude, ga4, posthog, slack, webhook, found 'pipedream'"),
        ({"url": "https://x", "filter": ["nothing:1"]}, "filter 'nothing:1'"),
        ({"url": "https://x", "filter": ["br_cookies:*t"]}, "holds no text"),
        ({"url": "https://x", "fields": {"a": "{nothing}"}}, "fields: {nothing}"),
        ({"url": "https://x", "fields": {"a": "{page_url:ms}"}}, "columns that hold an instant"),
        ({"url": "https://x", "fields": {"a": "{page_url:shout}"}}, "no form 'shout'"),
        ({"url": "https://x", "fields": {"a": "{page_url"}}, "a single {"),
        ({"url": "https://x", "body": {"a": "{value.nope}"}}, "`values` has no 'nope'"),
        ({"url": "https://x", "headers": {"a b": "c"}}, "'a b' cannot be set"),
        ({"url": "https://x", "headers": {"a": "hunter2\n"}}, "the value of a holds"),
        ({"url": "https://x", "signing_secret": "hunter2"}, "expected whsec_"),
    ],
)
def test_what_cannot_be_used_stops_the_start_and_shows_no_secret(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpDestination.model_validate(given)
    text = caught.value.errors()[0]["msg"]
    assert said in text
    assert "hunter2" not in text


def test_destinations_are_named_in_settings_and_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://hooks.example.com/x\n")
    environment = {"SNOWPLOW_SINKS__HTTP__DESTINATIONS__CRM__URL_FILE": str(tmp_path / "url")}
    loaded = load(environment=environment, folder=tmp_path)
    assert list(loaded.settings.sinks.open(tmp_path)) == ["http.crm"]
    assert "hooks.example.com" not in repr(loaded.settings)
    with pytest.raises(ValidationError, match="lower-case letters"):
        SinksSettings.model_validate({"http": {"destinations": {"../x": {"url": "https://x"}}}})


def test_dead_letters_are_sent_again_as_the_settings_are_then(destination: Any, sink: Any, tmp_path: Path) -> None:
    destination.answer = lambda body: (422 if "who" not in body["events"][0] else 200, {}, b"who?")
    letters = DeadLetters(tmp_path / "letters", most_bytes=2**30)
    followers = Followers(tmp_path / "w", {"http.crm": sink()}, backlog_bytes=2**30, dead_letters=letters)
    followers.start()
    followers.put(Processed(page_views(1, 2), Tally()))
    assert followers.wait(60)
    followers.close()
    assert [(one.events, one.attempts, one.reason) for one in letters.letters("http.crm")] == [
        (1, 1, "answered 422: who?"),
        (1, 1, "answered 422: who?"),
    ]
    again = letters.replay("http.crm", sink(), lambda batch: batch)
    assert (again.delivered, again.refused, again.left) == (0, 2, 0)
    assert [one.attempts for one in letters.letters("http.crm")] == [2, 2]
    mended = sink(fields={"who": "{domain_userid}"})
    destination.answer = lambda body: (503, {}, b"")
    again = letters.replay("http.crm", mended, lambda batch: batch)
    assert (again.delivered, again.refused, again.left) == (0, 0, 2)
    assert "503" in again.trouble
    destination.answer = lambda body: (200, {}, b"")
    assert letters.replay("http.crm", mended, lambda batch: batch).delivered == 2
    assert list(letters.letters("http.crm")) == []
    assert len(destination.bodies) == 2


def test_a_slow_destination_costs_the_others_nothing(destination: Any, sink: Any, tmp_path: Path) -> None:
    held = threading.Event()

    def answer(body: Any) -> tuple[int, dict[str, str], bytes]:
        if "slow" in body:
            assert held.wait(60)
        return 200, {}, b""

    destination.answer = answer
    letters = DeadLetters(tmp_path / "letters", most_bytes=2**30)
    sinks = {"quick": sink(), "slow": sink(body={"slow": "{events}"}, timeout=60)}
    followers = Followers(tmp_path / "w", sinks, backlog_bytes=2**30, dead_letters=letters)
    followers.start()
    for number in range(5):
        followers.put(Processed(page_views(number, name=str(number)), Tally()))
    while len(destination.seen) < 5:
        pass
    assert all("events" in body for body in destination.bodies)
    held.set()
    assert followers.wait(60)
    followers.close()
    assert len(destination.seen) == 10
