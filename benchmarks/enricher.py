"""Events per second that one process enriches: ``python benchmarks/enricher.py [--seconds 2] [--profile NAME]``.

The events are what the JavaScript tracker sends for a page with the session, browser and web page entities; every
of 2,000 records is different (ids, times, users; 1,800 page URLs). The validator is the real one, no configurable
enrichment runs.
"""

from __future__ import annotations

import argparse
import base64
import cProfile
import json
import pstats
import random
import time
import uuid
from collections.abc import Callable
from urllib.parse import urlencode

from snowgauge.enrich.enricher import Enricher
from snowgauge.events import payload_record
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.events.outcome import Enriched, Tally
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings

_SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
_RECORDS = 2000
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
_HEADERS = [
    "Host: collector.example.com",
    f"User-Agent: {_AGENT}",
    "Accept: */*",
    "Accept-Language: en-GB,en;q=0.9",
    "Accept-Encoding: gzip, deflate, br",
    "Origin: https://shop.example.com",
    "Referer: https://shop.example.com/",
    "Cookie: sp=6d1cf1a1-2c2f-4b29-8b6e-7c6f0c5b2b11",
    "X-Forwarded-For: 203.0.113.9",
    "sec-ch-ua-platform: Linux",
    "application/json",
]
_chance = random.Random(1)


def _id() -> str:
    return str(uuid.UUID(int=_chance.getrandbits(128), version=4))


def _entities() -> list[dict[str, object]]:
    return [
        {"schema": f"{_SNOWPLOW}/web_page/jsonschema/1-0-0", "data": {"id": _id()}},
        {
            "schema": f"{_SNOWPLOW}/browser_context/jsonschema/2-0-0",
            "data": {
                "viewport": "1280x720",
                "documentSize": "1280x2311",
                "resolution": "1920x1080",
                "colorDepth": 24,
                "devicePixelRatio": 1,
                "cookiesEnabled": True,
                "online": True,
                "browserLanguage": "en-GB",
                "documentLanguage": "en",
                "webdriver": False,
                "deviceMemory": 8,
                "hardwareConcurrency": 8,
                "tabId": _id(),
            },
        },
        {
            "schema": f"{_SNOWPLOW}/client_session/jsonschema/1-0-2",
            "data": {
                "userId": _id(),
                "sessionId": _id(),
                "eventIndex": _chance.randrange(50),
                "sessionIndex": _chance.randrange(9),
                "previousSessionId": None,
                "storageMechanism": "COOKIE_1",
                "firstEventId": _id(),
                "firstEventTimestamp": "2024-05-01T10:00:00.123Z",
            },
        },
    ]


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _event(*, self_describing: bool, plain: bool) -> dict[str, str]:
    moment = 1_714_557_600_000 + _chance.randrange(10**9)
    page = _chance.randrange(200)
    event = {
        "e": "ue" if self_describing else "pv",
        "eid": _id(),
        "tv": "js-4.1.0",
        "tna": "sp",
        "aid": "shop",
        "p": "web",
        "cookie": "1",
        "cs": "UTF-8",
        "lang": "en-GB",
        "res": "1920x1080",
        "cd": "24",
        "tz": "Europe/London",
        "dtm": str(moment),
        "stm": str(moment + 340),
        "vp": "1280x720",
        "ds": "1280x2311",
        "vid": str(_chance.randrange(20)),
        "sid": _id(),
        "duid": _id(),
        "uid": f"user-{_chance.randrange(10**6)}",
        "page": f"Product {page} | Shop",
        "url": f"https://shop.example.com/products/{page}?utm_source=news&utm_medium=email&session={_chance.randrange(9)}",
        "refr": "https://www.google.com/",
    }
    contexts = _compact({"schema": f"{_SNOWPLOW}/contexts/jsonschema/1-0-0", "data": _entities()})
    event["co" if plain else "cx"] = contexts if plain else _encoded(contexts)
    if self_describing:
        click = {
            "schema": f"{_SNOWPLOW}/link_click/jsonschema/1-0-1",
            "data": {"targetUrl": "https://example.com/a", "elementId": "buy", "elementClasses": ["a", "b"]},
        }
        text = _compact({"schema": f"{_SNOWPLOW}/unstruct_event/jsonschema/1-0-0", "data": click})
        event["ue_pr" if plain else "ue_px"] = text if plain else _encoded(text)
    return event


def _record(events: list[dict[str, str]]) -> bytes:
    body = _compact({"schema": f"{_SNOWPLOW}/payload_data/jsonschema/1-0-4", "data": events})
    return payload_record.encode(
        _payload(path="/com.snowplowanalytics.snowplow/tp2", body=body, content_type="application/json")
    )


def _payload(**more: str) -> CollectorPayload:
    return CollectorPayload(
        ip_address="203.0.113.9",
        timestamp=1_714_557_601_000 + _chance.randrange(10**9),
        collector="ssc-3.4.0-kinesis",
        user_agent=_AGENT,
        referer_uri="https://shop.example.com/",
        headers=_HEADERS,
        hostname="collector.example.com",
        network_user_id=_id(),
        **more,
    )


CASES: dict[str, Callable[[], bytes]] = {
    "page view, base64": lambda: _record([_event(self_describing=False, plain=False)]),
    "page view, plain": lambda: _record([_event(self_describing=False, plain=True)]),
    "link click, base64": lambda: _record([_event(self_describing=True, plain=False)]),
    "link click, plain": lambda: _record([_event(self_describing=True, plain=True)]),
    "batch of 10, base64": lambda: _record([_event(self_describing=i % 2 > 0, plain=False) for i in range(10)]),
    "GET page view, base64": lambda: payload_record.encode(
        _payload(path="/i", querystring=urlencode(_event(self_describing=False, plain=False)))
    ),
}


def _measure(enricher: Enricher, records: list[bytes], seconds: float, *, tsv: bool = False) -> float:
    """Events per second of processor time, after one round to warm up that proves that every event is enriched."""
    tally = Tally()
    for record in records:
        tally.count(enricher.process(record, "seed"))
    if tally.enriched != tally.events:
        raise SystemExit(f"only {tally.enriched} of {tally.events} events were enriched; the benchmark is broken")
    events, started = 0, time.process_time()
    while (elapsed := time.process_time() - started) < seconds:
        for i, record in enumerate(records):
            for outcome in enricher.process(record, f"{events}/{i}"):
                if tsv and isinstance(outcome, Enriched):
                    to_tsv(outcome.event)
                events += 1
    return events / elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="time per case")
    parser.add_argument("--profile", metavar="CASE", help="print where the time of one case goes")
    options = parser.parse_args()
    _, validator = build(IgluSettings(iglu_central=False), None)
    enricher = Enricher(validator)
    if options.profile:
        records = [CASES[options.profile]() for _ in range(_RECORDS)]
        with cProfile.Profile() as profile:
            for record in records:
                enricher.process(record, "seed")
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    print(f"{'case':24} {'events/s':>10} {'with TSV':>10} {'µs/event':>9}")
    for name, make in CASES.items():
        records = [make() for _ in range(_RECORDS if "10" not in name else _RECORDS // 10)]
        alone = _measure(enricher, records, options.seconds)
        with_tsv = _measure(enricher, records, options.seconds, tsv=True)
        print(f"{name:24} {alone:10,.0f} {with_tsv:10,.0f} {1e6 / alone:9.1f}")


if __name__ == "__main__":
    main()
