"""OpenTelemetry traces by OTLP over HTTP (extra ``otel``): one payload from its request to its row.

The ids of a payload's trace come from its record (``events.trace_ids``), so that collector and workers agree on them,
and on what to record, without telling each other anything::

    request            the collector's answer; below the sender's own span, where the request named one
      enrich           in a worker: what became of the events
        store          until the rows are committed
    enrich batch, store batch      traces of their own, linked with the payloads' spans both ways

Spans are made when they have ended. Attributes are figures and names of ours: never a path, an address or a value that
someone sent.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec

import snowgauge
from snowgauge.errors import SettingsError
from snowgauge.telemetry.reporting.base import Followed, Problem, Told, TraceIds, Transaction
from snowgauge.telemetry.settings import OpenTelemetrySettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import SpanContext, SpanKind

_PROBES = ("/health", "/sink-health", "/ready", "/metrics", "/robots.txt")
_FLUSH_MS = 2000
_Attributes = dict[str, Told | list[str]]


class _Open(msgspec.Struct):
    """What happened inside of the transaction that is open: steps and problems, with times in ns."""

    steps: list[tuple[str, int, int]] = []
    problems: list[tuple[int, str, str]] = []


_open: ContextVar[_Open | None] = ContextVar("open", default=None)


class OpenTelemetryReporter:
    """One per process. Records the share of payloads that the settings say, whole or not at all."""

    def __init__(
        self,
        settings: OpenTelemetrySettings,
        *,
        service: str,
        environment: str,
        role: str,
        exporter: SpanExporter | None = None,
    ) -> None:
        try:
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ALWAYS_ON
        except ImportError:
            raise SettingsError(
                "opentelemetry.enabled: OpenTelemetry's SDK is not installed; install snowgauge[otel], or set it to "
                "false"
            ) from None
        self._api = trace
        self._ratio = settings.sample_ratio
        self._bound = round(settings.sample_ratio * 2**64)
        self._continued = settings.accept_traceparent
        self._ids = _given_ids()
        self._provider = TracerProvider(
            # the share is decided here, by what collector and worker both know
            sampler=ALWAYS_ON,
            id_generator=self._ids,
            resource=Resource(
                {
                    "service.name": settings.service_name or service,
                    "service.version": snowgauge.__version__,
                    "service.instance.id": role,
                    "deployment.environment.name": environment,
                }
            ),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter or OTLPSpanExporter(endpoint=str(settings.endpoint), headers=settings.header_map(), timeout=10)
            )
        )
        self._tracer = self._provider.get_tracer("snowgauge", snowgauge.__version__)

    # ---- the contract -----------------------------------------------------------------------------------------

    def problem(self, problem: Problem) -> None:
        found = _open.get()
        if found is not None:
            found.problems.append((time.time_ns(), problem.event, problem.part))

    @contextlib.contextmanager
    def transaction(self, transaction: Transaction) -> Iterator[None]:
        transaction.follows = True
        inside = _Open()
        token = _open.set(inside)
        started = time.time_ns()
        try:
            yield
        finally:
            ended = time.time_ns()
            _open.reset(token)
            if transaction.kind == "request":
                self._request(transaction, inside, started, ended)
            else:
                self._batch(transaction, inside, started, ended)

    @contextlib.contextmanager
    def span(self, name: str) -> Iterator[None]:
        started = time.time_ns()
        try:
            yield
        finally:
            found = _open.get()
            if found is not None:
                found.steps.append((name, started, time.time_ns()))

    def close(self) -> None:
        self._provider.force_flush(_FLUSH_MS)
        self._provider.shutdown()

    # ---- spans ------------------------------------------------------------------------------------------------

    def _request(self, work: Transaction, inside: _Open, started: int, ended: int) -> None:
        method, _, path = work.name.partition(" ")
        if path in _PROBES:
            return
        about: _Attributes = {"http.request.method": method, "http.route": path, **work.about}
        kind = self._api.SpanKind.SERVER
        failed = work.result in ("failed", "5xx")
        if not work.payloads:
            if random.random() < self._ratio:  # noqa: S311 - a share, no secret
                span = self._span(work.name, kind, started, ended, about, failed=failed, inside=inside)
                self._steps(span, inside)
            return
        first, *rest = (one.ids for one in work.payloads)
        if self._recorded(first):
            parent = self._place(first, first.client.span) if self._continued and first.client else None
            span = self._span(
                work.name, kind, started, ended, about,
                ids=(self._trace(first), first.request), parent=parent, failed=failed, inside=inside,
            )  # fmt: skip
            self._steps(span, inside)
        for ids in rest:  # a request too large for one record is kept as several
            if self._recorded(ids):
                self._span(
                    "part of a request", kind, started, ended, {},
                    ids=(self._trace(ids), ids.request), links=[self._place(first, first.request)], failed=failed,
                )  # fmt: skip

    def _batch(self, work: Transaction, inside: _Open, started: int, ended: int) -> None:
        chosen = [one for one in work.payloads if self._recorded(one.ids)]
        if not chosen:
            return
        enriching = work.name == "enrich"
        kind = self._api.SpanKind.CONSUMER if enriching else self._api.SpanKind.CLIENT
        failed = work.result == "failed"
        known: _Attributes = {"payloads": len(work.payloads), **work.about}
        batch = (self._ids.generate_trace_id(), self._ids.generate_span_id())
        places = [
            self._payload(
                one, work.name, kind, one.started or started, one.ended or ended, self._context(*batch), failed
            )
            for one in chosen
        ]
        span = self._span(
            f"{work.name} batch", kind, started, ended, known, ids=batch, links=places, failed=failed, inside=inside
        )
        self._steps(span, inside)

    def _payload(
        self, one: Followed, name: str, kind: SpanKind, started: int, ended: int, batch: SpanContext, failed: bool
    ) -> SpanContext:
        ids = one.ids
        before, own = (ids.request, ids.enriched) if name == "enrich" else (ids.enriched, None)
        return self._span(
            name, kind, started, ended, one.about,
            ids=(self._trace(ids), own), parent=self._place(ids, before), links=[batch], failed=failed,
        )  # fmt: skip

    def _steps(self, parent: SpanContext, inside: _Open) -> None:
        for name, started, ended in inside.steps:
            self._span(name, self._api.SpanKind.INTERNAL, started, ended, {}, parent=parent)

    def _span(
        self,
        name: str,
        kind: SpanKind,
        started: int,
        ended: int,
        about: _Attributes,
        *,
        ids: tuple[int, int | None] | None = None,
        parent: SpanContext | None = None,
        links: list[SpanContext] | None = None,
        failed: bool = False,
        inside: _Open | None = None,
    ) -> SpanContext:
        """Record a span that has ended."""
        from opentelemetry.context import Context
        from opentelemetry.trace import Link, NonRecordingSpan, Status, StatusCode, set_span_in_context

        where = Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context())
        with self._ids.given(ids):
            span = self._tracer.start_span(
                name, where, kind, about, [Link(one) for one in links or ()], started, record_exception=False
            )
        for at, event, part in inside.problems if inside is not None else ():
            span.add_event(event, {"part": part}, at)
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)
        return span.get_span_context()

    # ---- ids --------------------------------------------------------------------------------------------------

    def _recorded(self, ids: TraceIds) -> bool:
        if self._continued and ids.client is not None:
            return ids.client.sampled
        return ids.trace % 2**64 < self._bound

    def _trace(self, ids: TraceIds) -> int:
        return ids.client.trace if self._continued and ids.client is not None else ids.trace

    def _place(self, ids: TraceIds, span: int) -> SpanContext:
        return self._context(self._trace(ids), span)

    def _context(self, trace_id: int, span_id: int) -> SpanContext:
        return self._api.SpanContext(trace_id, span_id, True, self._api.TraceFlags(self._api.TraceFlags.SAMPLED))


def _given_ids() -> Any:
    """An id generator of the SDK that takes ids from ``given`` where there are some."""
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class GivenIds(RandomIdGenerator):
        def __init__(self) -> None:
            self._here = threading.local()

        @contextlib.contextmanager
        def given(self, ids: tuple[int, int | None] | None) -> Iterator[None]:
            self._here.ids = ids
            try:
                yield
            finally:
                self._here.ids = None

        def generate_trace_id(self) -> int:
            ids = getattr(self._here, "ids", None)
            return int(ids[0]) if ids is not None else super().generate_trace_id()

        def generate_span_id(self) -> int:
            ids = getattr(self._here, "ids", None)
            return int(ids[1]) if ids is not None and ids[1] is not None else super().generate_span_id()

    return GivenIds()
