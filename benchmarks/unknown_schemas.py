"""Good events while others name schemas that nobody has: time from receipt to the store, with the registry answering
404, slow, hung, and down; and how often the registry was asked.

    python -m benchmarks.unknown_schemas [--seconds 20] [--rate 50] [--names 300] [--slow 3]

Each second brings ``--rate`` page views and one POST with ``--names`` entities of schemas made up for it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from snowgauge.testing.deployment import Deployment
from snowgauge.testing.failing import PAYLOAD_DATA, entities
from snowgauge.testing.registry import RegistryServer

_TP2 = "/com.snowplowanalytics.snowplow/tp2"


def hostile(second: int, names: int) -> str:
    """A POST with entities of schemas that were never named before."""
    made_up = [(f"iglu:com.evil/e{second}-{n}/jsonschema/1-0-0", {}) for n in range(names)]
    event = {"e": "pv", "p": "web", "tv": "x-1", "aid": "evil", "co": entities(*made_up)}
    return json.dumps({"schema": PAYLOAD_DATA, "data": [event]})


def send(port: int, options: argparse.Namespace, *, attacked: bool) -> None:
    """The load of one run, at an even pace."""
    collector = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    started = time.monotonic()
    for number in range(options.seconds * options.rate):
        time.sleep(max(0.0, started + number / options.rate - time.monotonic()))
        collector.request("GET", f"/i?e=pv&p=web&tv=x-1&aid=shop&url=http://shop.example/{number}")
        collector.getresponse().read()
        if attacked and number % options.rate == 0:
            body = hostile(number // options.rate, options.names)
            collector.request("POST", _TP2, body, {"Content-Type": "application/json"})
            collector.getresponse().read()
    collector.close()


def run(state: str, options: argparse.Namespace) -> list[str]:
    registry = RegistryServer()
    if state == "slow":
        registry.delay = options.slow
    if state == "hung":
        registry.held.clear()
    if state == "down":
        registry.down()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"iglu.registries": json.dumps([registry.uri]), "iglu.iglu_central": "false"}
        with Deployment(Path(folder) / "data", settings) as deployment:
            send(deployment.port, options, attacked=state != "no attack")
            deployment.events("shop", options.seconds * options.rate, within=300)
            (row,) = deployment.sql(
                "SELECT quantiles(0.5, 0.95, 0.99)(toUnixTimestamp64Milli(toDateTime64(load_tstamp, 3)) - "
                "toUnixTimestamp64Milli(toDateTime64(collector_tstamp, 3))) AS ms FROM atomic.events "
                "WHERE app_id = 'shop'"
            )
            stopping = time.monotonic()
            deployment.stop()
            stopped = time.monotonic() - stopping
    if state != "down":
        registry.down()
    return [state, *(f"{value / 1000:.2f}" for value in row["ms"]), str(len(registry.requests)), f"{stopped:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--names", type=int, default=300)
    parser.add_argument("--slow", type=float, default=3.0)
    parser.add_argument("--states", nargs="+", default=["no attack", "404", "slow", "hung", "down"])
    options = parser.parse_args()
    table = Table(title=f"{options.rate} good events and {options.names} made-up schemas per second")
    for column in ("registry", "p50 s", "p95 s", "p99 s", "requests to it", "stop s"):
        table.add_column(column, justify="left" if column == "registry" else "right")
    for state in options.states:
        table.add_row(*run(state, options))
    Console().print(table)


if __name__ == "__main__":
    main()
