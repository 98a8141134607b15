"""Elastic APM, by its own agent, without its instrumentation (extra ``apm``): that would send the addresses and
statements of everything the process asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import snowgauge
from snowgauge.errors import SettingsError
from snowgauge.telemetry.reporting import scrubbing
from snowgauge.telemetry.reporting.base import Problem, Transaction
from snowgauge.telemetry.settings import ElasticApmSettings


class ElasticApmReporter:
    """One per process."""

    def __init__(self, settings: ElasticApmSettings, *, service: str, environment: str, role: str) -> None:
        try:
            import elasticapm
        except ImportError:
            raise SettingsError(
                "elastic_apm.enabled: Elastic's agent is not installed; install snowgauge[apm], or set it to false"
            ) from None
        self._apm = elasticapm
        self._client: Any = elasticapm.Client(
            service_name=settings.service_name or service,
            service_node_name=role,
            service_version=snowgauge.__version__,
            environment=environment,
            server_url=settings.server_url or "http://127.0.0.1:8200",
            secret_token=settings.secret_token.get_secret_value() or None,
            transaction_sample_rate=settings.transaction_sample_rate,
            global_labels={"role": role},
            instrument=False,
            central_config=False,
            cloud_provider="none",
            capture_body="off",
            capture_headers=False,
            collect_local_variables="off",
            auto_log_stacks=False,
            include_process_args=False,
            disable_log_record_factory=True,
            processors=[f"{__name__}.scrubbed"],
        )

    def problem(self, problem: Problem) -> None:
        about = {"part": problem.part, "event": problem.event, **problem.about}
        error = problem.error
        if error is not None:
            self._client.capture_exception(exc_info=(type(error), error, error.__traceback__), custom=about)
        else:
            self._client.capture_message(problem.event, custom=about)

    @contextlib.contextmanager
    def transaction(self, transaction: Transaction) -> Iterator[None]:
        self._client.begin_transaction(transaction.kind)
        try:
            yield
        finally:
            self._apm.set_transaction_outcome("failure" if transaction.result in ("failed", "5xx") else "success")
            self._client.end_transaction(transaction.name, transaction.result)

    def span(self, name: str) -> Any:
        return self._apm.capture_span(name, "app")

    def close(self) -> None:
        self._client.close()


def scrubbed(client: object, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - the agent's signature
    """The last look at what is sent."""
    context = event.get("context")
    if isinstance(context, dict):
        for key in ("request", "user", "response", "message"):
            context.pop(key, None)
    if isinstance(event.get("exception"), dict):
        _scrub(event["exception"])
    return event


def _scrub(exception: dict[str, Any]) -> None:
    kind, text = str(exception.get("type") or ""), str(exception.get("message") or "")
    # the agent writes "Kind: text"
    told = scrubbing.told(exception.get("module"), kind, text.removeprefix(f"{kind}: "))
    exception["message"] = f"{kind}: {told}"
    for cause in exception.get("cause") or ():
        _scrub(cause)
