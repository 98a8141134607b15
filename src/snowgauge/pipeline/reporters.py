"""Error trackers and tracing servers that a deployment reports to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from snowgauge.settings.model import Settings
from snowgauge.telemetry.reporting.base import Reporter
from snowgauge.telemetry.reporting.reports import reporting

_P = ParamSpec("_P")
_Run = Callable[Concatenate[Settings, _P], None]


def reported(role: str) -> Callable[[_Run[_P]], _Run[_P]]:
    """A process's main function that tells the reporters of its settings what goes wrong while it runs."""

    def around(run: _Run[_P]) -> _Run[_P]:
        @wraps(run)
        def wrapped(settings: Settings, /, *arguments: _P.args, **named: _P.kwargs) -> None:
            with reporting(reporters(settings, role)):
                run(settings, *arguments, **named)

        return wrapped

    return around


def reporters(settings: Settings, role: str) -> list[Reporter]:
    """The reporters of one process, each imported only where it is switched on. Raises ``SettingsError``."""
    found: list[Reporter] = []
    service = settings.common.service_name
    if settings.sentry.enabled:
        from snowgauge.telemetry.reporting.sentry import SentryReporter

        found.append(SentryReporter(settings.sentry, service=service, role=role))
    if settings.elastic_apm.enabled:
        from snowgauge.telemetry.reporting.elastic_apm import ElasticApmReporter

        environment = settings.sentry.environment
        found.append(ElasticApmReporter(settings.elastic_apm, service=service, environment=environment, role=role))
    if settings.opentelemetry.enabled:
        from snowgauge.telemetry.reporting.open_telemetry import OpenTelemetryReporter

        environment = settings.sentry.environment
        found.append(OpenTelemetryReporter(settings.opentelemetry, service=service, environment=environment, role=role))
    return found
