"""Failed events: how many, and causes that are new."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from snowgauge.alerts.reading import Detail, Reading
from snowgauge.alerts.rules import QUARTER_MS, FailedEvents, NewFailure
from snowgauge.alerts.sources import Sources
from snowgauge.events.failed_cause import normal_message
from snowgauge.store.base import Filter, Selection

_DAY_MS = 86_400_000
_MOST_CAUSES = 100


def failed(condition: FailedEvents, apps: Collection[str], at: int, sources: Sources) -> Iterator[Reading]:
    """The share of an application's events that failed in the last quarter of an hour."""
    start = at - QUARTER_MS
    good = sources.counts.by_app(start, at)
    found = sources.failures.count_by("failed", "app_id", Selection(start, at), limit=10_000)
    bad = {str(bucket.key or ""): bucket.count for bucket in found}
    for app in sorted({*good, *bad}):
        if apps and app not in apps:
            continue
        count = bad.get(app, 0)
        share = 100 * count / (count + good.get(app, 0))
        wrong = count >= condition.least and share > condition.share
        of = app or "events without an application"
        summary = f"{count:,} events of {of} failed within 15 minutes: {share:.1f} %"
        yield Reading(app, wrong, summary, app, share, condition.share, None, (Detail("failed events", f"{count:,}"),))


def new_failure(condition: NewFailure, apps: Collection[str], at: int, sources: Sources) -> Iterator[Reading]:
    """Causes of the last day that the days before did not have. A cause is new for one day."""
    failures = sources.failures
    since = at - _DAY_MS
    filters = [Filter("app_id", "in", tuple(apps))] if apps else []
    now = failures.count_by("failed", "cause", Selection(since, at, filters), limit=_MOST_CAUSES)
    causes = tuple(str(bucket.key) for bucket in now if bucket.key)
    if not causes:
        return
    earlier = Selection(since - condition.days * _DAY_MS, since, [Filter("cause", "in", causes)])
    known = {str(bucket.key) for bucket in failures.count_by("failed", "cause", earlier, limit=_MOST_CAUSES)}
    for bucket in now:
        cause = str(bucket.key or "")
        if not cause or cause in known:
            continue
        example = failures.events("failed", Selection(since, at, [Filter("cause", "in", (cause,))]), limit=1)
        row = example[0] if example else {}
        app = str(row.get("app_id") or "")
        what = normal_message(str(row.get("message") or ""))[:200] or str(row.get("failure_type") or "unknown")
        details = [Detail("cause", cause), Detail("type", str(row.get("failure_type") or ""))]
        if row.get("schema"):
            details.append(Detail("schema", str(row["schema"])))
        summary = f"{bucket.count:,} events of {app or 'no application'} fail for a new reason: {what}"
        yield Reading(cause, True, summary, app, bucket.count, None, None, details)
