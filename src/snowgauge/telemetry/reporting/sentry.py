"""Sentry, by its own SDK, with everything switched off that would send more than is meant (extra ``sentry``).

None of the SDK's integrations are used: they would add command lines (with secrets in ``--set``), local variables,
outgoing addresses and log lines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import snowgauge
from snowgauge.errors import SettingsError
from snowgauge.telemetry.reporting import scrubbing
from snowgauge.telemetry.reporting.base import Problem, Transaction
from snowgauge.telemetry.settings import SentrySettings

_OPERATIONS = {"request": "http.server", "batch": "queue.process"}
_FLUSH_SECONDS = 2.0


class SentryReporter:
    """One per process: the SDK's state is the process's."""

    def __init__(self, settings: SentrySettings, *, service: str, role: str) -> None:
        try:
            import sentry_sdk
        except ImportError:
            raise SettingsError(
                "sentry.enabled: the Sentry SDK is not installed; install snowgauge[sentry], or set it to false"
            ) from None
        self._sdk = sentry_sdk
        try:
            sentry_sdk.init(
                dsn=settings.dsn.get_secret_value(),
                environment=settings.environment,
                release=f"snowgauge@{snowgauge.__version__}",
                traces_sample_rate=settings.traces_sample_rate,
                default_integrations=False,
                auto_enabling_integrations=False,
                auto_session_tracking=False,
                send_client_reports=False,
                include_local_variables=False,
                max_request_body_size="never",
                max_breadcrumbs=0,
                propagate_traces=False,
                shutdown_timeout=_FLUSH_SECONDS,
                spotlight=False,
                before_send=_scrubbed,
                before_send_transaction=_scrubbed,
            )
        except sentry_sdk.utils.BadDsn as error:
            raise SettingsError(f"sentry.dsn: {error}; it looks like https://key@sentry.example/1") from None
        scope = sentry_sdk.get_global_scope()
        scope.set_tag("service", service)
        scope.set_tag("role", role)

    def problem(self, problem: Problem) -> None:
        with self._sdk.new_scope() as scope:
            scope.set_tag("part", problem.part)
            scope.set_tag("event", problem.event)
            scope.set_context("log line", dict(problem.about))
            if problem.error is not None:
                scope.capture_exception(problem.error)
            else:
                scope.capture_message(problem.event, "error")

    @contextlib.contextmanager
    def transaction(self, transaction: Transaction) -> Iterator[None]:
        with (
            self._sdk.isolation_scope(),
            self._sdk.start_transaction(op=_OPERATIONS[transaction.kind], name=transaction.name) as begun,
        ):
            found: Any = begun
            try:
                yield
            finally:
                found.name = transaction.name
                found.set_tag("result", transaction.result)
                found.set_status("internal_error" if transaction.result in ("failed", "5xx") else "ok")

    def span(self, name: str) -> Any:
        if self._sdk.get_current_span() is None:
            return contextlib.nullcontext()
        return self._sdk.start_span(op="step", name=name)

    def close(self) -> None:
        self._sdk.get_client().close(timeout=_FLUSH_SECONDS)


def _scrubbed(event: Any, hint: Any) -> Any:  # noqa: ARG001 - the SDK's signature
    """The last look at what is sent."""
    for key in ("request", "user", "breadcrumbs", "modules", "extra"):
        event.pop(key, None)
    for value in (event.get("exception") or {}).get("values") or ():
        value["value"] = scrubbing.told(value.get("module"), value.get("type"), value.get("value") or "")
        for frame in (value.get("stacktrace") or {}).get("frames") or ():
            frame.pop("vars", None)
    if event.get("message"):
        event["message"] = scrubbing.text(event["message"])
    return event
