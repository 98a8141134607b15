"""Every metric, in one table: name, kind, labels, what it means and what to do about it.

The table is the documentation; a name that is not in it is a ``KeyError`` at the first use, and mypy knows the names
by the tests that use them. Values live in prometheus_client, in its multi-process form when ``configure`` was given a
folder, so that one page (`render`) shows all processes of a deployment.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import msgspec


class Metric(msgspec.Struct, frozen=True):
    """``cure`` says what an operator does when the figure looks wrong."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    cure: str = ""
    buckets: tuple[float, ...] = ()


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

METRICS: tuple[Metric, ...] = (
    Metric("collector_requests", "counter", ("method", "status"), "HTTP requests answered by the collector."),
    Metric("collector_request_seconds", "histogram", (), "Time to answer a tracking request.", buckets=_SECONDS),
    Metric("collector_payload_bytes", "counter", (), "Bytes of payload records accepted."),
    Metric("collector_refused", "counter", ("reason",), "Requests that were not kept.",
           "503s mean that the event log is full or its disk is: see /sink-health and eventlog stats."),
    Metric("proxy_requests", "counter", ("result",), "Requests to the analytics proxy: fetched, cached, refused."),
    Metric("eventlog_entries", "gauge", (), "Entries waiting in the event log.",
           "Grows for minutes: the pipeline is behind or the store is unreachable."),
    Metric("eventlog_bytes", "gauge", (), "Bytes waiting in the event log."),
    Metric("eventlog_oldest_seconds", "gauge", (), "Age of the oldest waiting entry.",
           "Grows steadily: no worker takes its share. Do all processes run? Does the store answer?"),
    Metric("eventlog_room_bytes", "gauge", (), "What the event log would still take at present.",
           "At 0 the collector answers 503: free disk space, or raise eventlog.spool.max_bytes."),
    Metric("eventlog_unreadable", "counter", (), "Acknowledged entries that a damaged file of the event log lost.",
           "The disk is failing, or files were changed. `snowgauge doctor` counts them; damaged/ in the log's folder "
           "keeps the files."),
    Metric("eventlog_partition_entries", "gauge", ("partition",), "Records waiting in one partition of the topics.",
           "One grows: its worker is stuck. All grow: more workers, up to the number of partitions."),
    Metric("eventlog_partition_oldest_seconds", "gauge", ("partition",), "Age of a partition's oldest waiting record."),
    Metric("eventlog_partitions", "gauge", (), "Partitions that a worker holds."),
    Metric("eventlog_rebalances", "counter", ("kind",), "Partitions gained and lost by workers.",
           "Grows without workers coming or going: they die, or are silent for longer than the session timeout."),
    Metric("eventlog_records_gone", "counter", (), "Records that a topic's retention deleted before they were stored.",
           "Lost. Lengthen the topic's retention.ms beyond the longest outage of the store."),
    Metric("eventlog_fallback_entries", "counter", (), "Requests kept in the spool since the brokers took none.",
           "Are the brokers up? They are forwarded once they are."),
    Metric("eventlog_write_seconds", "histogram", (), "Time until a group of requests was durable.",
           "The disk is slow: requests wait for it.", buckets=_SECONDS),
    Metric("pipeline_records", "counter", (), "Log entries processed."),
    Metric("pipeline_outcomes", "counter", ("outcome",), "Events by outcome: enriched, failed, dropped."),
    Metric("pipeline_batch_seconds", "histogram", ("step",), "Time of one batch by step: enrich, store.",
           buckets=_SECONDS),
    Metric("pipeline_retries", "counter", ("reason",), "Steps of a batch done again: journal, store, sinks, eventlog.",
           "store: is the database up? The others: is there room on the disk of the data folder?"),
    Metric("pipeline_batches_lost", "counter", (), "Batches left to another worker, who took over their partition."),
    Metric("sink_batches", "counter", ("sink", "result"),
           "Batches for a sink beside the store: delivered, retried, passed_by, unreadable.",
           "passed_by: it was unreachable or too slow for longer than sinks.backlog_bytes lasts."),
    Metric("sink_waiting_batches", "gauge", ("sink",), "Batches that wait for a sink beside the store.",
           "Grows: the log says why the sink takes nothing."),
    Metric("sink_dead_letters", "counter", ("sink",), "Dead letters of a sink: what its destination refused for good.",
           "`snowgauge sinks show` says why; mend it, then `snowgauge sinks replay`."),
    Metric("pipeline_poison", "counter", (), "Records that killed the enricher and were set aside as failures.",
           "A bug: report it with the failed event."),
    Metric("pipeline_last_stored_timestamp", "gauge", (), "Unix time of the last stored batch."),
    Metric("model_until_timestamp", "gauge", (), "Unix time up to which everything stored is in the modelled tables.",
           "Minutes behind: `snowgauge model status` says why; one process of `snowgauge serve` does it."),
    Metric("model_run_seconds", "histogram", (), "Time of one look at what was stored.", buckets=_SECONDS),
    Metric("model_units", "counter", (), "Visits, and views and events without one, that were made again."),
    Metric("model_events", "counter", (), "Events read for that."),
    Metric("model_failures", "counter", (), "Runs of the modeller that failed, and are tried again.",
           "`snowgauge model status` shows the last reason."),
    Metric("model_quarantined", "counter", (), "Visits given up, being too long or too large.",
           "derived.model_quarantine names them: kiosks, load tests, bots."),
    Metric("model_frozen", "counter", (), "Visits left as they are, since retention has removed events of them."),
    Metric("alert_firing", "gauge", (), "Alerts that fire.", "`snowgauge alerts list` shows them."),
    Metric("alert_checks", "counter", (), "Checks of alerts."),
    Metric("alert_messages", "counter", (), "Messages of alerts, each counted once however many channels it has."),
    Metric("alert_deliveries", "counter", ("result",), "Messages handed to channels: sent, again, failed.",
           "Failed: the log of deliveries on the console's page Alerts says why."),
    Metric("alert_failures", "counter", (), "Looks at alerts that failed, and are made again.",
           "The log says why."),
    Metric("failed_events", "counter", ("type",), "Failed events by type."),
    Metric("failed_replays", "counter", ("verdict",), "Failed events tried again, by what came of it.",
           "Many failed: `snowgauge failed groups` shows the causes that are left."),
    Metric("enrichment_seconds", "counter", ("enrichment",), "Time spent in one enrichment."),
    Metric("enrichment_errors", "counter", ("enrichment",), "Failures of one enrichment."),
    Metric("enrich_accepted_invalid", "counter", (), "Events with too long texts that accept_invalid let pass."),
    Metric("asset_refresh_failures", "counter", ("asset",), "Refreshes that failed; the old file stays in use.",
           "Is the address right and reachable?"),
    Metric("store_rows", "counter", ("table",), "Rows stored."),
    Metric("store_refused", "counter", (), "Rows the database refused; kept as failed events."),
    Metric("store_duplicates", "counter", (), "Events that were sent twice and are stored once (PostgreSQL)."),
    Metric("iglu_lookups", "counter", ("result",), "Schema lookups: found, missing, outage, refused.",
           "Outages: is the registry up? Refused: events name more unknown schemas than are looked for; someone makes "
           "them up. Either way their events fail, and are recovered once the schema is there."),
    Metric("iglu_registry_up", "gauge", ("registry",), "1 if a registry elsewhere answered when last asked, else 0.",
           "Is it up, and reachable from here? Events whose schemas only it has fail, and are recovered later."),
    Metric("registry_requests", "counter", ("method", "status"), "Requests to the deployment's own schema registry."),
    Metric("engine_queries", "counter", ("result",), "Statements for the embedded engine: done, refused.",
           "Many refused: its answers say why; `snowgauge sql` shows them."),
    Metric("engine_query_seconds", "histogram", (), "Time of one statement of the embedded engine.", buckets=_SECONDS),
    Metric("part_ready", "gauge", ("part",), "1 while the part can be written to, else 0: store, eventlog.",
           "`snowgauge status` says what is wrong, `snowgauge doctor` knows cures."),
    Metric("process_up", "gauge", ("process",), "1 while a process of this machine runs, 0 once it is gone.",
           "The log says how it ended."),
    Metric("process_restarts", "gauge", ("process",), "How often a process was started again.",
           "Grows: it dies again and again. The log says of what."),
    Metric("process_memory_bytes", "gauge", ("process",), "Memory of a process."),
    Metric("disk_free_bytes", "gauge", (), "Free room on the disk of the data folder.",
           "Shorten retention, or give it a larger disk."),
    Metric("disk_total_bytes", "gauge", (), "Size of the disk of the data folder."),
    Metric("tls_certificate_expires_timestamp", "gauge", ("domain",), "Unix time at which a name's certificate ends.",
           "Less than a week away: renewal fails, and the log says why; `snowgauge proxy certificates` too."),
    Metric("tls_certificate_failures", "counter", ("domain",), "Certificates that were not issued or renewed.",
           "Run `snowgauge proxy certificates`: it shows the authority's reason and the cure."),
)  # fmt: skip

_TABLE = {metric.name: metric for metric in METRICS}
_live: dict[str, Any] = {}
_making = Lock()
_bound: dict[tuple[str, tuple[str, ...]], Any] = {}


def configure(folder: Path | None) -> None:
    """Share values between processes through ``folder``. Must come before the first use of a metric."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        # prometheus_client knows no other way of being told
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _metric(name: str) -> Any:
    with _making:  # a metric can be made once only
        found = _live.get(name)
        if found is None:
            found = _live[name] = _made(_TABLE[name])
        return found


def _made(metric: Metric) -> Any:
    import prometheus_client as prometheus

    full = f"snowgauge_{metric.name}"
    if metric.kind == "counter":
        return prometheus.Counter(full, metric.meaning, metric.labels)
    if metric.kind == "gauge":
        return prometheus.Gauge(full, metric.meaning, metric.labels, multiprocess_mode="mostrecent")
    from snowgauge.telemetry.histograms import Histogram

    return Histogram(full, metric.meaning, metric.labels, buckets=metric.buckets)


def _child(name: str, labels: dict[str, str]) -> Any:
    key = (name, tuple(labels.values()))
    child = _bound.get(key)
    if child is None:
        metric = _metric(name)
        child = _bound[key] = metric.labels(**labels) if labels else metric
    return child


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to a counter. Labels are given in the order of the table."""
    _child(name, labels).inc(amount)


def gauge(name: str, value: float, **labels: str) -> None:
    """Set a gauge."""
    _child(name, labels).set(value)


def observe(name: str, value: float, **labels: str) -> None:
    """Put a value into a histogram."""
    _child(name, labels).observe(value)


def observe_all(name: str, values: Sequence[float], **labels: str) -> None:
    """Put many values into a histogram at once, for a fraction of the time."""
    _child(name, labels).observe_all(values)


def render() -> bytes:
    """All values of all processes in Prometheus' text format."""
    import prometheus_client as prometheus
    from prometheus_client import multiprocess

    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = prometheus.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return prometheus.generate_latest(registry)
    return prometheus.generate_latest()
