"""Settings of what the system says about itself."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, HttpUrl, field_validator, model_validator

from snowgauge.part_settings import PartSettings, Secret

_Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class LoggingSettings(PartSettings):
    """Log lines, on standard error."""

    level: Annotated[_Level, BeforeValidator(lambda v: v.upper() if isinstance(v, str) else v)] = "INFO"
    """The least important level shown. `INFO` says what finished; per-event detail is `DEBUG`."""

    json_format: bool = False
    """JSON lines instead of text."""


class PrometheusSettings(PartSettings):
    """Figures in Prometheus' text format on the collector's port. The private port has them at `/metrics` in any
    case."""

    enabled: bool = False
    """Serve the figures on the collector's port too, to anyone who can reach it."""

    metrics_path: str = "/metrics/"
    """Path on the collector's port. With a slash at its end, and without: the one redirects to the other."""

    @field_validator("metrics_path")
    @classmethod
    def _is_a_path(cls, value: str) -> str:
        if not value.startswith("/") or not value.strip("/") or "?" in value:
            raise ValueError(f"expected a path such as '/metrics', found {value!r}")
        return value


class SentrySettings(PartSettings):
    """Errors, and traces where asked for, to Sentry. Needs the extra `snowgauge[sentry]`.

    What visitors sent never goes along: no bodies, headers, cookies, query strings or local variables; addresses,
    e-mail addresses and ids inside of messages are blanked.
    """

    enabled: bool = False
    """Report to Sentry."""

    dsn: Secret = Secret("")
    """Where to: the DSN of the Sentry project."""

    traces_sample_rate: float = Field(default=0.0, ge=0, le=1)
    """Share of requests and batches whose duration is reported: 0 none, 1 all."""

    environment: str = "dev"
    """Name of the environment. `SNOWPLOW_ENV=production` makes the default `prod`."""

    @model_validator(mode="after")
    def _has_a_destination(self) -> SentrySettings:
        if self.enabled and not self.dsn.get_secret_value():
            raise ValueError("sentry.enabled needs sentry.dsn")
        return self


class ElasticApmSettings(PartSettings):
    """Traces and errors to an Elastic APM server. Needs the extra `snowgauge[apm]`. What visitors sent never goes
    along, as for `sentry`."""

    enabled: bool = False
    """Report to the APM server."""

    server_url: str = ""
    """Address of the APM server. Empty: `http://127.0.0.1:8200`."""

    service_name: str = ""
    """Name of this service. Empty: `common.service_name`."""

    secret_token: Secret = Secret("")
    """Token that the server asks for, if it does."""

    transaction_sample_rate: float = Field(default=1.0, ge=0, le=1)
    """Share of requests and batches whose duration is reported in detail: 0 none, 1 all."""


class OpenTelemetrySettings(PartSettings):
    """Traces to an OpenTelemetry collector, or whatever else takes OTLP over HTTP: each payload from its request to
    its row. Needs the extra `snowgauge[otel]`. What visitors sent never goes along, as for `sentry`."""

    enabled: bool = False
    """Send traces."""

    endpoint: HttpUrl = HttpUrl("http://127.0.0.1:4318/v1/traces")
    """Where to, with the path."""

    headers: Secret = Secret("")
    """Headers that the receiver asks for, as `name=value`, several with commas between: `api-key=secret`."""

    service_name: str = ""
    """Name of this service. Empty: `common.service_name`."""

    sample_ratio: float = Field(default=1.0, ge=0, le=1)
    """Share of payloads that are followed: 0 none, 1 all. 1 is for trying it out; a busy collector wants 0.01."""

    accept_traceparent: bool = True
    """Go on with the trace that a request names in its `traceparent` header, and record it if the header says so, for
    senders of yours that are traced too. Off: anyone who can reach the collector has no say in what is recorded."""

    @field_validator("headers")
    @classmethod
    def _are_pairs(cls, value: Secret) -> Secret:
        for pair in filter(None, value.get_secret_value().split(",")):
            name, equals, text = pair.partition("=")
            if not equals or not re.fullmatch(r"\s*[A-Za-z0-9_-]+\s*", name) or not text.strip().isprintable():
                raise ValueError("expected name=value, several with commas between")
        return value

    def header_map(self) -> dict[str, str]:
        """``headers`` by name."""
        pairs = (pair.partition("=") for pair in self.headers.get_secret_value().split(",") if pair)
        return {name.strip(): text.strip() for name, _, text in pairs}
