"""Metrics that several threads use for the first time at the same moment."""

from __future__ import annotations

import subprocess
import sys

RACE = """
import sys
import threading

from snowgauge.telemetry import metrics

sys.setswitchinterval(1e-6)
names = [metric.name for metric in metrics.METRICS if metric.kind == "counter" and not metric.labels]
threads, failed = 8, []
together = threading.Barrier(threads)

def use():
    for name in names:
        together.wait()
        try:
            metrics.count(name)
        except Exception as error:
            failed.append(error)

running = [threading.Thread(target=use) for _ in range(threads)]
for thread in running:
    thread.start()
for thread in running:
    thread.join()
assert not failed, failed
text = metrics.render().decode()
for name in names:
    assert f"snowgauge_{name}_total {threads}.0" in text, name
"""


def test_the_first_use_of_a_metric_by_several_threads_is_one_metric() -> None:
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
