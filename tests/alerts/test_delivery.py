"""Messages on their way: each once, whatever is killed; signed, together, later, again, or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json

import msgspec
import pytest

from snowgauge.alerts.channels import Channel
from snowgauge.alerts.delivering.postman import WAITS_MS
from snowgauge.alerts.evaluator import Evaluator
from snowgauge.alerts.rules import HOUR_MS, QUARTER_MS, NoEvents, Pipeline, Rule
from snowgauge.alerts.sources import Part
from snowgauge.errors import QueryRefused
from snowgauge.testing.alerting import DAY_MS, START, AlertWorld, webhook

WEEKS = [START + week * 7 * DAY_MS for week in range(4)]


def silent(world: AlertWorld, apps=("shop",), **more) -> None:
    """Applications that had events at ten on Mondays and have none in the fourth week; an alert with a channel."""
    for app in apps:
        for week in WEEKS[:3]:
            for quarter in range(4):
                world.traffic.add(week + 10 * HOUR_MS + quarter * QUARTER_MS, app, "page_view", 100)
    world.book.put_rule(
        Rule(id="no-events", name="No events", severity="critical", condition=NoEvents(), channels=("hook",), **more),
        "t",
    )
    world.store.clock = WEEKS[3] + 10 * HOUR_MS


def of_hook(world):
    return [one for one in world.book.deliveries() if one.channel_id == "hook"]


def test_a_message_arrives_once_signed_and_complete(world, web, postman):
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    post = postman(world)
    assert post.run().sent == 1
    assert post.run().sent == 0
    (asked,) = web.asked
    body = json.loads(asked.body)
    assert body["status"] == "firing"
    assert body["alert"] == {"id": "no-events", "name": "No events", "kind": "no_events", "severity": "critical",
                             "url": "https://console.example/alerts?alert=no-events"}  # fmt: skip
    assert (body["app"], body["value"], body["expected"]) == ("shop", 0, [400, 400])
    assert body["period"] == {"from": "2027-01-18T10:15:00Z", "to": "2027-01-18T10:30:00Z", "zone": "UTC"}
    assert asked.headers["x-snowgauge-delivery"] == body["id"]
    seconds, _, digest = asked.headers["x-snowgauge-signature"].removeprefix("t=").partition(",v1=")
    assert digest == hmac.new(b"s3cret", seconds.encode() + b"." + asked.body, hashlib.sha256).hexdigest()


class Killed(BaseException):
    """The process ends here: nothing after it runs."""


def test_killed_between_check_and_delivery_each_message_comes_once(world, web, postman):
    """At every write that a look makes: the next process finds what is there and ends in the same messages."""
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    real = world.store.replace
    begin = world.store.clock
    world.evaluator.look()
    for kill_at in range(1, 24):
        writes = 0

        def replace(changes, version, kill_at=kill_at):
            nonlocal writes
            for change in changes:  # a store may be killed between two tables of one change
                writes += 1
                if writes == kill_at:
                    raise Killed
                real([change], version)

        world.store.replace = replace
        world.store.clock = begin + HOUR_MS + kill_at
        try:
            world.evaluator.look()
            postman(world).run()
        except Killed:
            pass
    world.store.replace = real
    world.evaluator.look()
    postman(world).run()
    statuses = [json.loads(one.body)["status"] for one in web.asked]
    assert statuses == ["firing"]
    assert [one.status for one in of_hook(world)] == ["sent"]


def test_killed_before_it_was_written_down_the_same_id_comes_again(world, web, postman):
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    real, calls = world.book.update, []

    def update(deliveries):
        calls.append(deliveries)
        if any(one.status == "sent" for one in deliveries):
            raise Killed
        real(deliveries)

    world.book.update = update
    with pytest.raises(Killed):
        postman(world).run()
    world.book.update = real
    postman(world).run()
    first, second = (json.loads(one.body)["id"] for one in web.asked)
    assert first == second


def test_several_at_once_are_one_message(world, web, postman):
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world, apps=("shop", "docs", "game"))
    world.pass_time(world.store.clock + HOUR_MS)
    assert postman(world).run().sent == 3
    (asked,) = web.asked
    body = json.loads(asked.body)
    assert {body["app"], *(one["app"] for one in body["others"])} == {"shop", "docs", "game"}


def test_what_does_not_arrive_is_tried_five_times_with_one_id(world, web, postman):
    web.answers["/hook"] = (503, b"busy")
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    post = postman(world)
    for wait in (0, *WAITS_MS, HOUR_MS, HOUR_MS):
        world.store.clock += wait - 1
        post.run()  # not yet
        world.store.clock += 1
        post.run()
    assert len(web.asked) == 5
    assert len({json.loads(one.body)["id"] for one in web.asked}) == 1
    (delivery,) = of_hook(world)
    assert (delivery.status, delivery.tries, delivery.answer) == ("failed", 5, "503 busy")


def test_gone_switches_the_channel_off(world, web, postman):
    web.answers["/hook"] = (410, b"gone")
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    postman(world).run()
    channel = world.book.channel("hook")
    assert not channel.enabled
    assert "410 gone" in channel.off_because


def test_a_refusal_is_final(world, web, postman):
    web.answers["/hook"] = (400, b"no_text")
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    assert postman(world).run().failed == 1
    assert of_hook(world)[0].answer == "400 no_text"


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/hook", "http://localhost:{port}/hook",
                                 "http://0x7f.1:{port}/hook", "http://[::ffff:127.0.0.1]:{port}/hook"])  # fmt: skip
def test_the_inside_of_the_network_is_refused(world, web, url, postman):
    world.book.put_channel(webhook(url.format(port=web.host.rpartition(":")[2])), "t")
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    postman(world, allow_private_hosts=False).run()
    assert web.asked == []
    assert "alerts.allow_private_hosts" in of_hook(world)[0].answer


def test_http_is_refused_unless_allowed(world, web, postman):
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    postman(world, allow_http=False).run()
    assert web.asked == []
    assert "alerts.allow_http" in of_hook(world)[0].answer


QUIET = {"zone": "Europe/Berlin", "windows": [{"start": "10:00", "end": "14:00"}]}


def test_quiet_hours_end_in_a_digest_of_what_still_fires(world, web, postman):
    world.book.put_channel(webhook(f"{web.url}/hook", quiet=QUIET), "t")
    silent(world, apps=("shop", "docs"))
    world.book.put_rule(world.book.rule("no-events").model_copy(update={"severity": "warn"}), "t")
    for quarter in range(4, 20):  # the docs come back at eleven
        world.traffic.add(WEEKS[3] + 10 * HOUR_MS + quarter * QUARTER_MS, "docs", "page_view", 100)
        for week in WEEKS[:3]:
            for app in ("shop", "docs"):
                world.traffic.add(week + 10 * HOUR_MS + quarter * QUARTER_MS, app, "page_view", 100)
    world.pass_time(world.store.clock + 2 * HOUR_MS)
    post = postman(world)
    assert post.run().sent == 0
    world.store.clock = WEEKS[3] + 13 * HOUR_MS  # 14:00 in Berlin
    done = post.run()
    assert (done.sent, done.skipped) == (1, 2)
    (asked,) = web.asked
    assert json.loads(asked.body)["app"] == "shop"


def test_critical_comes_in_quiet_hours(world, web, postman):
    world.book.put_channel(webhook(f"{web.url}/hook", quiet=QUIET), "t")
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    assert postman(world).run().sent == 1


def test_muted_alerts_send_nothing_and_are_written_down(world, web, postman):
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world, muted_until=WEEKS[3] + DAY_MS)
    world.pass_time(world.store.clock + HOUR_MS)
    postman(world).run()
    assert web.asked == []
    assert [one.status for one in of_hook(world)] == ["skipped"]
    assert [one.message.said for one in world.book.deliveries() if one.channel_id == ""] == ["firing"]


def test_slack_and_teams_take_hostile_names_as_text(world, web, postman):
    hostile = "<!channel> *a* [x](https://evil.example) & </script>"
    for kind in ("slack", "teams"):
        channel = Channel.model_validate({"id": kind, "name": kind, "kind": kind, "url": f"{web.url}/hook"})
        world.book.put_channel(channel, "t")
    world.book.put_rule(
        Rule(id="pipeline", name="Parts", condition=Pipeline(), channels=("slack", "teams"), for_checks=1), "t"
    )
    world.parts = [Part("store", False, hostile)]
    world.evaluator.look()
    assert postman(world).run().sent == 2
    slack, teams = (json.loads(one.body) for one in web.asked)
    assert "&lt;!channel&gt;" in slack["attachments"][0]["text"]
    assert "<" not in msgspec.json.encode(slack).decode()
    card = teams["attachments"][0]["content"]
    assert card["version"] == "1.4"
    assert "\\[x\\]\\(https://evil.example\\)" in card["body"][0]["text"]


def test_mail_is_one_thread_with_text_and_html(world, postman):
    sent = []
    world.book.put_channel(
        Channel.model_validate({"id": "hook", "name": "Mail", "kind": "email", "to": ["ops@example.com"]}), "t"
    )
    silent(world)
    world.pass_time(world.store.clock + HOUR_MS)
    for quarter in range(4, 12):
        world.traffic.add(WEEKS[3] + 10 * HOUR_MS + quarter * QUARTER_MS, "shop", "page_view", 100)
        for week in WEEKS[:3]:
            world.traffic.add(week + 10 * HOUR_MS + quarter * QUARTER_MS, "shop", "page_view", 100)
    post = postman(world, mail=lambda message: sent.append(message) or "taken")
    post.run()
    world.pass_time(world.store.clock + 2 * HOUR_MS)
    post.run()
    firing, resolved = sent
    assert firing["Subject"].startswith("[firing] No events: shop has sent nothing")
    assert resolved["Subject"].startswith("[resolved]")
    assert firing["References"] == resolved["References"]
    assert firing["Message-ID"] != resolved["Message-ID"]
    kinds = [part.get_content_type() for part in firing.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    assert "src=" not in firing.as_string()


def test_a_process_that_was_away_makes_each_missed_check_once(world, web):
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    for quarter in range(8, 16):  # silent from ten to twelve, and back; nothing is usual after eleven
        world.traffic.add(WEEKS[3] + 10 * HOUR_MS + quarter * QUARTER_MS, "shop", "page_view", 100)
    world.evaluator.look()
    world.store.clock += 5 * HOUR_MS
    world.evaluator.look()
    said = [(one.message.said, one.message.at) for one in reversed(of_hook(world))]
    assert sorted(said, key=lambda one: one[1]) == [
        ("firing", WEEKS[3] + 10 * HOUR_MS + 2 * QUARTER_MS),
        ("resolved", WEEKS[3] + 12 * HOUR_MS + 2 * QUARTER_MS),
    ]


def test_nothing_is_checked_before_it_is_modelled(world, web):
    world.book.put_channel(webhook(f"{web.url}/hook"), "t")
    silent(world)
    world.evaluator.look()
    world.behind = 3 * HOUR_MS
    world.store.clock += HOUR_MS
    assert world.evaluator.look().waits > 0
    assert "no-events" not in {rule for rule, states in world.book.states().items() if states}


def test_an_alert_that_cannot_be_checked_keeps_no_other_from_being_checked(world):
    def refuse():
        raise QueryRefused("too dear")

    world.evaluator = Evaluator(world.book, lambda: dataclasses.replace(world.sources(), drifts=refuse))
    world.parts = [Part("store", False, "gone")]
    for _ in range(2):
        world.store.clock += QUARTER_MS
        assert world.evaluator.look().failed == {"drift": "too dear"}
    assert world.book.states()["pipeline"]["store"].status == "firing"
