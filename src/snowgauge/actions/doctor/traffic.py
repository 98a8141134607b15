"""What the events of the last day say about the way they came."""

from __future__ import annotations

from collections.abc import Iterator

from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.doctor.addresses import is_local, is_private
from snowgauge.actions.doctor.check import Check
from snowgauge.actions.events import now_ms
from snowgauge.store.base import Filter, Selection

_DAY = 86_400_000
_BOTS = ("bot", "crawler", "spider", "headless")


def traffic(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    """What the events of the last day say about the way they came."""
    store = deployment.store
    day = Selection(now_ms() - _DAY)
    good, failed = store.count("good", day), store.count("failed", day)
    if not good + failed:
        yield Check(
            "traffic", "Events arrive", "warn", "none in 24 hours", "See First run for what to put into your pages."
        )
        return
    yield Check("traffic", "Events arrive", "ok", f"{good:,} good and {failed:,} failed in 24 hours")
    share = failed / (good + failed)
    yield Check(
        "failures",
        "Few events fail",
        "ok" if share < 0.02 else "warn" if share < 0.2 else "fail",
        f"{share:.1%}",
        "" if share < 0.02 else "Failed events shows the causes, the most frequent first.",
    )
    if not good:
        return
    bots = store.count("good", Selection(day.since, None, [Filter("useragent", "contains", _BOTS)]))
    yield Check(
        "bots",
        "Few events come from robots",
        "ok" if bots / good < 0.2 else "warn",
        f"{bots / good:.1%} by their user agent",
        "" if bots / good < 0.2 else "Leave them out with the bot detection enrichment, or block them in front.",
    )
    sample = store.count_by("good", "user_ipaddress", day, limit=20)
    private = sum(one.count for one in sample if is_private(str(one.key or "")))
    behind = private > 0.9 * sum(one.count for one in sample) and not is_local(deployment.collector_url)
    yield Check(
        "proxy",
        "Visitors' addresses come through (proxy headers)",
        "warn" if behind else "ok",
        "nearly all events have a private address" if behind else "they do",
        "The proxy in front must send X-Forwarded-For with the visitor's address." if behind else "",
    )


def json_columns(deployment: Deployment, around: Surroundings) -> Iterator[Check]:
    title = "JSON columns say what was sent"
    if not around.json_columns:
        yield Check("json-columns", title, "skip", "the store has no JSON columns")
        return
    sent = ("contexts", "unstruct_event", "derived_contexts")
    nulls = [Filter(column, "contains", ("[null]", "[null,null")) for column in sent]
    found = deployment.store.count("good", Selection(now_ms() - _DAY, None, any_of=nulls))
    yield Check(
        "json-columns",
        title,
        "warn" if found else "ok",
        f"{found:,} events of 24 hours have arrays of nulls, which can read as [{{}}] there" if found else "they do",
        f"Read such arrays from the text in {', '.join(sent)}; the guide's page of promises lists what else differs."
        if found
        else "",
    )
