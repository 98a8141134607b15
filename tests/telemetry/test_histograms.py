"""Many values put into a histogram at once are counted as they would be one after the other."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from snowgauge.telemetry.histograms import Histogram

VALUES = [0.0, 0.001, 0.0010001, 0.005, 0.3, 1.0, 7.0, 1e9]


def test_many_values_at_once_count_as_one_by_one() -> None:
    texts = []
    for at_once in (True, False):
        registry = CollectorRegistry()
        histogram = Histogram("h", "h", ("a",), registry=registry, buckets=(0.001, 0.005, 0.1, 1)).labels(a="b")
        if at_once:
            histogram.observe_all(VALUES)
        else:
            for value in VALUES:
                histogram.observe(value)
        texts.append([line for line in generate_latest(registry).decode().splitlines() if "_created" not in line])
    assert texts[0] == texts[1]
