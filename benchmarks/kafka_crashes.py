"""Two collectors and three workers on Kafka and PostgreSQL or ClickHouse, with kills, stops beyond the session timeout,
brokers that die and a store that is unreachable: everything acknowledged is stored, and nothing twice.

    python -m benchmarks.kafka_crashes [--rounds 50] [--brokers 1] [--store postgres|clickhouse]

It needs Java and Kafka's jars (`python -m snowgauge.testing.kafka`), and PostgreSQL of the extra ``dev``.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from snowgauge.testing.kafka import KafkaBrokers, missing
from snowgauge.testing.spread_crashes import STORES, crash


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--brokers", type=int, default=1)
    parser.add_argument("--store", choices=sorted(STORES), default="postgres")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    if missing():
        sys.exit(missing())
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="kafka-crashes-") as folder:
        brokers = KafkaBrokers(Path(folder) / "kafka", options.brokers).start()
        server = STORES[options.store](Path(folder) / "store")
        server.start()
        try:
            found = crash(Path(folder), brokers, server, rounds=options.rounds, seed=options.seed, tell=print)
        finally:
            server.stop()
            brokers.stop()
    print(found)
    if found.missing or found.twice:
        sys.exit("not everything was stored once")


if __name__ == "__main__":
    main()
