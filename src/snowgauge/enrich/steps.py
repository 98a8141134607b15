"""Phase 2 of an event's life: the core's own steps and the configured enrichments, in enrich 6.10's order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from snowgauge.enrich import failures
from snowgauge.enrich.enrichments.base import EVENT_COLUMNS_PLACE, PLACES, DropEvent, Enrichment, EnrichmentSource
from snowgauge.enrich.enrichments.cross_domain import linker_of
from snowgauge.enrich.explain import Trace
from snowgauge.enrich.failures import Violation
from snowgauge.enrich.querystrings import BadQuery
from snowgauge.enrich.transform import urls
from snowgauge.enrich.transform.derived import derived_tstamp, name_event
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("enrich")

Run = Callable[[EnrichedEvent, EnrichmentSource], Sequence[SelfDescribing] | None]


class Step(msgspec.Struct):
    """``enrichment`` is ``None`` for the core's own. ``rewrites``: it may change event and entities of the tracker."""

    place: int
    name: str
    run: Run
    enrichment: Enrichment | None = None
    rewrites: bool = False

    def __post_init__(self) -> None:
        self.rewrites = self.enrichment is not None and "*" in self.enrichment.fields


def steps_of(enrichments: Sequence[Enrichment]) -> list[Step]:
    """Everything that runs, in order; enrichments of the same place keep the order given."""
    cross_navigation = PLACES["cross_navigation_config"]
    own = [
        Step(1, "collector version", _collector_version),
        Step(2, "page URL", _page_url),
        Step(3, "derived timestamp", _derived_tstamp),
        Step(PLACES["referer_parser"] - 1, "referrer URL", _referrer_url),
        Step(EVENT_COLUMNS_PLACE, "event name", _event_name),
    ]
    if all(enrichment.runs_at != cross_navigation for enrichment in enrichments):
        # the enrichment sets the same columns, and is then the one to name when they cannot be set
        own.append(Step(cross_navigation, "cross-domain linker", _cross_domain))
    configured = [Step(each.runs_at, each.identifier, each.enrich, each) for each in enrichments]
    return sorted(own + configured, key=lambda step: step.place)


class StepRunner:
    """Runs the steps over one event after the other, and keeps count of their time and failures."""

    def __init__(self, enrichments: Sequence[Enrichment]) -> None:
        self._steps = steps_of(enrichments)
        self._seconds = {step.name: 0.0 for step in self._steps if step.enrichment is not None}
        self._errors = dict.fromkeys(self._seconds, 0)
        self._bugs_seen: set[str] = set()

    def flush_metrics(self) -> None:
        """Hand the counts since the last call over to telemetry."""
        for name, seconds in self._seconds.items():
            if seconds:
                count("enrichment_seconds", seconds, enrichment=name)
                self._seconds[name] = 0.0
            if self._errors[name]:
                count("enrichment_errors", self._errors[name], enrichment=name)
                self._errors[name] = 0

    def run(self, event: EnrichedEvent, source: EnrichmentSource, trace: Trace | None) -> tuple[list[Violation], bool]:
        """Every step runs, whatever went wrong before. New entities and failures go in front of earlier ones.

        The second value tells whether the tracker's own event or entities were rewritten by code of the user's.
        """
        violations: list[Violation] = []
        rewritten = False
        for step in self._steps:
            had = (event.unstruct_event, *event.contexts) if step.rewrites else ()
            if trace is None:
                self._run(step, event, source, violations)
            else:
                conceals = step.enrichment is not None and step.enrichment.conceals
                with trace.step(step.name, event, source.entities, violations, conceals=conceals):
                    self._run(step, event, source, violations)
            if step.rewrites:
                has = (event.unstruct_event, *event.contexts)
                rewritten |= len(had) != len(has) or any(a is not b for a, b in zip(had, has, strict=True))
        return violations, rewritten

    def _run(self, step: Step, event: EnrichedEvent, source: EnrichmentSource, violations: list[Violation]) -> None:
        enrichment = step.enrichment
        if enrichment is None:
            try:
                step.run(event, source)
            except EnrichmentFailure as failure:
                violations.insert(0, failures.enrichment_failure(failure))
            return
        started = time.perf_counter()
        failed: Sequence[BaseException] = ()
        try:
            produced = step.run(event, source)
            if produced:
                source.entities[:0] = produced
        except DropEvent:
            raise DropEvent(step.name) from None
        except ExceptionGroup as group:
            failed = _flat(group)
        except Exception as error:
            failed = (error,)
        if failed:
            self._errors[step.name] += 1
            violations[:0] = [self._violation(step, enrichment, error) for error in failed]
        self._seconds[step.name] += time.perf_counter() - started

    def _violation(self, step: Step, enrichment: Enrichment, error: BaseException) -> Violation:
        if not isinstance(error, EnrichmentFailure):
            if (bug := f"{step.name}: {error!r}") not in self._bugs_seen and len(self._bugs_seen) < 1000:
                self._bugs_seen.add(bug)
                log.error("enrichment_broken", enrichment=step.name, exc_info=error)
            error = EnrichmentFailure(f"Unexpected error in the enrichment: {error!r}")
        return failures.enrichment_failure(error, enrichment.schema_key.uri, enrichment.identifier)


def _flat(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [leaf for e in group.exceptions for leaf in (_flat(e) if isinstance(e, BaseExceptionGroup) else [e])]


def _collector_version(event: EnrichedEvent, source: EnrichmentSource) -> None:  # noqa: ARG001
    if not event.v_collector:
        raise EnrichmentFailure("should be set", field="v_collector", value=event.v_collector)


def _page_url(event: EnrichedEvent, source: EnrichmentSource) -> None:
    payload = source.tracker.payload
    text = event.page_url or payload.referer_uri
    if not text:
        return
    try:
        url = urls.parse(text)
    except urls.BadUrl as error:
        raise EnrichmentFailure(str(error)) from None
    event.page_url = url.text
    event.page_urlscheme = url.scheme
    event.page_urlhost = url.host
    event.page_urlport = url.port
    event.page_urlpath = url.path
    event.page_urlquery = url.query
    event.page_urlfragment = url.fragment
    if url.query is not None:
        try:
            source.page_query = urls.query_pairs(url.query, payload.encoding)
        except BadQuery as error:
            raise EnrichmentFailure(
                f"could not extract name-value pairs from querystring with encoding {payload.encoding}: {error}",
                field="uri",
                value=url.text,
            ) from None


def _derived_tstamp(event: EnrichedEvent, source: EnrichmentSource) -> None:  # noqa: ARG001
    event.derived_tstamp = derived_tstamp(event)


def _referrer_url(event: EnrichedEvent, source: EnrichmentSource) -> None:  # noqa: ARG001
    if event.page_referrer is None:
        return
    try:
        url = urls.parse(event.page_referrer)
    except urls.BadUrl as error:
        raise EnrichmentFailure(str(error)) from None
    event.refr_urlscheme = url.scheme
    event.refr_urlhost = url.host
    event.refr_urlport = url.port
    event.refr_urlpath = url.path
    event.refr_urlquery = url.query
    event.refr_urlfragment = url.fragment


def _cross_domain(event: EnrichedEvent, source: EnrichmentSource) -> None:
    if not source.page_query:
        return
    linker = linker_of(source.page_query)
    if linker.domain_user_id is not None:
        event.refr_domain_userid = linker.domain_user_id
    if linker.timestamp is not None:
        event.refr_dvce_tstamp = linker.timestamp


def _event_name(event: EnrichedEvent, source: EnrichmentSource) -> None:  # noqa: ARG001
    name_event(event)
