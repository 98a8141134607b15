"""What is so now: parts of the pipeline, the modelled tables, open entries of the tracking plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from snowgauge.alerts.reading import Detail, Reading
from snowgauge.alerts.rules import Drift, Modelling, Severity
from snowgauge.alerts.sources import Sources

_RANK: dict[Severity, int] = {"info": 0, "warn": 1, "critical": 2}


def pipeline(sources: Sources) -> Iterator[Reading]:
    for part in sources.parts():
        summary = f"{part.name}: {part.note or ('well' if part.ok else 'not well')}"
        yield Reading(part.name, not part.ok, summary)


def modelling(condition: Modelling, at: int, sources: Sources) -> Iterator[Reading]:
    model = sources.model()
    behind = (at - model.until) / 60_000
    late = behind > condition.minutes
    summary = f"the modelled tables are {behind:,.0f} minutes behind" if late else "the modelled tables are up to date"
    details = (Detail("last failure", model.error[:200]),) if model.error else ()
    yield Reading("tables", late or bool(model.error), summary, "", max(0.0, behind), condition.minutes, None, details)


def drift(condition: Drift, apps: Collection[str], sources: Sources) -> Iterator[Reading]:
    for one in sources.drifts():
        if _RANK[one.severity] >= _RANK[condition.least] and (not apps or one.app in apps):
            yield Reading(one.id, True, one.summary, one.app)
