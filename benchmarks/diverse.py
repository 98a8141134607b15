"""What an event costs a worker before the store: diverse traffic, default enrichments on, one process.

    python -m benchmarks.diverse [--requests 2000] [--rounds 5] [--profile]

The traffic is that of ``_traffic``: page views with three entities in requests of ten, 2,000 user agents, 50,000 URLs.
Schemas are looked up as a worker does, and caches are warm with other requests. Processor time, the median of rounds
over different requests, once with and once without enrichments, and beside them making blocks for ClickHouse.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks._aims import note
from benchmarks._traffic import Traffic
from snowgauge.enrich import configs, means
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.enrichments.settings import EnrichmentsSettings
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.outcome import Enriched
from snowgauge.iglu.at_hand import Limits, ValidatorAtHand
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings


def enriched(enricher: Enricher, records: list[bytes], seed: str) -> list[EnrichedEvent]:
    """The events of all records; every one has to be good."""
    outcomes = [outcome for at, record in enumerate(records) for outcome in enricher.process(record, f"{seed}/{at}")]
    events = [outcome.event for outcome in outcomes if isinstance(outcome, Enriched)]
    if len(events) != len(outcomes):
        raise SystemExit("some events are not good; the benchmark is broken")
    return events


def microseconds(enricher: Enricher, rounds: list[list[bytes]]) -> list[float]:
    """Processor time per event of each round."""
    spent = []
    for at, records in enumerate(rounds):
        started = time.process_time()
        events = enriched(enricher, records, str(at))
        spent.append((time.process_time() - started) / len(events) * 1e6)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000, help="requests of ten events in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    chosen = parser.parse_args()
    settings = IgluSettings(iglu_central=False)
    resolver, validator = build(settings, None)
    at_hand = ValidatorAtHand(resolver, validator, Limits.of_batches(settings))
    traffic = Traffic()
    rounds = [[traffic.record() for _ in range(chosen.requests)] for _ in range(chosen.rounds + 1)]
    with tempfile.TemporaryDirectory() as folder:
        given, _, http = means.build(EnrichmentsSettings(), Path(folder))
        loaded = configs.load(None, validator, given, {})
        whole = Enricher(validator, enrichments=loaded.enrichments, at_hand=at_hand)
        core = Enricher(validator, at_hand=at_hand)
        for enricher in (whole, core):
            enriched(enricher, rounds[0], "warm")
        # as a worker does: what is held here is not to be looked through again and again
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        if chosen.profile:
            with cProfile.Profile() as profile:
                enriched(whole, rounds[1], "profile")
            pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        figures = {"core, no enrichments": microseconds(core, rounds[1:])}
        figures["with the default set"] = microseconds(whole, rounds[1:])
        loaded.close()
        http.close()
    note(enrich_us=median(figures["with the default set"]))
    print(f"{'Enricher.process, one process':32}{'µs/event':>10}{'events/s':>10}   of rounds from to")
    for name, spent in figures.items():
        middle = median(spent)
        print(f"{name:32}{middle:10.1f}{1e6 / middle:10,.0f}   {min(spent):.1f} {max(spent):.1f}")


if __name__ == "__main__":
    main()
