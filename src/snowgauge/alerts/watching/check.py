"""One check of an alert: what it finds about the period that ended."""

from __future__ import annotations

from collections.abc import Iterator

from snowgauge.alerts.reading import Reading
from snowgauge.alerts.rules import (
    Drift,
    EventChange,
    FailedEvents,
    Measure,
    Modelling,
    NewFailure,
    NoEvents,
    Pipeline,
    Rule,
    Traffic,
)
from snowgauge.alerts.sources import Sources
from snowgauge.alerts.watching import failed, measure, state, traffic


def check(rule: Rule, at: int, sources: Sources) -> Iterator[Reading]:
    """What is so at the end ``at`` (ms) of a period, one reading for each key that there is something to say about.

    Raises ``StoreUnavailable``: the check is made again later.
    """
    condition = rule.condition
    apps = rule.apps
    match condition:
        case NoEvents():
            return traffic.no_events(condition, apps or sources.counts.first_of_app(), at, sources)
        case Traffic():
            return traffic.traffic(condition, apps or sources.counts.first_of_app(), at, sources)
        case EventChange():
            return traffic.events(condition, apps or sources.counts.first_of_app(), at, sources)
        case Measure():
            return measure.measure(condition, apps, at, sources)
        case FailedEvents():
            return failed.failed(condition, apps, at, sources)
        case NewFailure():
            return failed.new_failure(condition, apps, at, sources)
        case Drift():
            return state.drift(condition, apps, sources)
        case Pipeline():
            return state.pipeline(sources)
        case Modelling():
            return state.modelling(condition, at, sources)
