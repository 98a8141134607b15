"""Cost of each enrichment, in microseconds per event, over typical events.

    python benchmarks/enrichments.py [events]

Warm: the same visitors again and again, as a pipeline sees them. Cold: every user agent, referrer and address is new.
What needs an outside service (API request, SQL query, currency, weather) is left out.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from snowgauge.enrich import configs, means
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.enrichments.base import Enrichment, EnrichmentSource
from snowgauge.enrich.enrichments.registry import find
from snowgauge.enrich.enrichments.settings import EnrichmentsSettings
from snowgauge.events import payload_record
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.testing.enriching import source_with
from snowgauge.testing.mmdb import write_mmdb

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_{n} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{n}.0) Gecko/20100101 Firefox/{n}.0",
    "Mozilla/5.0 (compatible; Googlebot/2.{n}; +http://www.google.com/bot.html)",
)
REFERRERS = (
    ("www.google.com", "/", "q=shoes+{n}"), ("l.facebook.com", "/l.php", "u={n}"), ("chatgpt.com", "/", None),
    ("blog.example", "/{n}", None), ("shop.example", "/{n}", None),
)  # fmt: skip
LOCATION = {"latitude": 48.85, "longitude": 2.35, "time_zone": "Europe/Paris"}
PLACE = {"country": {"iso_code": "FR"}, "city": {"names": {"en": "Paris"}}, "location": LOCATION}


def event_of(number: int) -> tuple[EnrichedEvent, EnrichmentSource]:
    chance = random.Random(number)
    host, path, query = chance.choice(REFERRERS)
    text = chance.choice(AGENTS).format(n=number)
    event = EnrichedEvent(
        platform="web", event="page_view", event_name="page_view", collector_tstamp=1_700_000_000_000,
        derived_tstamp=1_700_000_000_000, user_ipaddress=f"198.51.{number // 250 % 250}.{number % 250}", useragent=text,
        page_url="https://shop.example/p?utm_source=news&utm_medium=email&gclid=abc", page_urlhost="shop.example",
        page_referrer=f"https://{host}{path}", refr_urlscheme="https", refr_urlhost=host,
        refr_urlpath=path.format(n=number), refr_urlquery=query and query.format(n=number),
    )  # fmt: skip
    source = source_with(
        parameters={
            "e": "pv", "p": "web", "tv": "js-4.1.0", "aid": "shop", "url": event.page_url, "refr": event.page_referrer,
            "dtm": "1700000000000", "stm": "1700000000100", "eid": f"{number:032x}", "duid": "d" * 36, "vid": "3",
            "sid": "s" * 36, "res": "1920x1080", "vp": "1200x900", "ds": "1200x4000", "cs": "UTF-8", "lang": "en-US",
            "tz": "Europe/Paris", "cookie": "1", "cd": "24", "ua": text, "page": "A page", "cx": "e30" * 200,
        },
        page_query=[("utm_source", "news"), ("utm_medium", "email"), ("gclid", "abc")],
        headers=[
            "Host: c.shop.example", f"User-Agent: {text}", "Accept: */*", "Accept-Language: en-US,en;q=0.9",
            "Cookie: sp=abc; consent=1; session=xyz", 'Sec-CH-UA-Platform: "Windows"', "Sec-CH-UA-Mobile: ?0",
            'Sec-CH-UA: "Not_A Brand";v="8", "Chromium";v="120", "Google Chrome";v="120"',
        ],
    )  # fmt: skip
    return event, source


def cost(enrichments: list[Enrichment], events: int, distinct: int) -> dict[str, float]:
    """Microseconds per event of each, run together in their order."""
    spent = dict.fromkeys((each.identifier for each in enrichments), 0)
    for number in range(events):
        event, source = event_of(number % distinct)
        for each in enrichments:
            started = time.perf_counter_ns()
            try:
                source.entities[:0] = each.enrich(event, source)
            finally:
                spent[each.identifier] += time.perf_counter_ns() - started
    return {name: nanoseconds / events / 1000 for name, nanoseconds in spent.items()}


def throughput(enricher: Enricher, records: list[bytes], events: int) -> float:
    """Events per second of the whole of enrich, the same visitors again and again."""
    for number, record in enumerate(records):
        enricher.process(record, f"warm/{number}")
    started = time.perf_counter()
    for number in range(events):
        enricher.process(records[number % len(records)], str(number))
    return events / (time.perf_counter() - started)


def record_of(number: int) -> bytes:
    event, source = event_of(number)
    parameters = {name: value for name, value in source.parameters.items() if value is not None and name != "cx"}
    return payload_record.encode(
        CollectorPayload(
            timestamp=1_700_000_000_000, ip_address=event.user_ipaddress, collector="ssc", path="/i",
            querystring=urlencode(parameters), user_agent=event.useragent, headers=list(source.headers),
        )
    )  # fmt: skip


def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        (data / "assets").mkdir()
        networks = {f"198.51.{n}.0/24": PLACE for n in range(250)}
        write_mmdb(data / "assets" / "city.mmdb", networks, "City")
        asn = {"autonomous_system_number": 64496, "autonomous_system_organization": "Acme"}
        write_mmdb(data / "assets" / "net-asn.mmdb", {f"198.51.{n}.0/24": asn for n in range(250)}, "ASN")
        (data / "assets" / "bad-asn-list.csv").write_text("ASN,Entity\n64497,x\n")
        made, _, http = means.build(EnrichmentsSettings(), data)
        validator = build(IgluSettings(iglu_central=False), None)[1]
        loaded = configs.load(None, validator, made, {})
        script = data / "enrichments" / "note.js"
        script.parent.mkdir()
        script.write_text(
            "function process(event) { if (event.getPlatform() === 'x') event.setApp_id('y'); return []; }"
        )
        more = configs.load(script.parent, validator, made, {}).enrichments
        for name in ("user_agent_utils_config", "cookie_extractor_config", "http_header_extractor_config"):
            found = find().of(name)
            assert found is not None
            extra = found.create(found.sample["data"].get("parameters") or {}, made)
            assert extra is not None
            more.append(extra)
        print(f"{'enrichment':34}{'warm µs':>10}{'cold µs':>10}")
        totals = []
        for title, enrichments in (("default set", loaded.enrichments), ("more", more)):
            cost(enrichments, 1000, 200)
            warm, cold = cost(enrichments, events, 200), cost(enrichments, events, 10**9)
            for name in warm:
                print(f"{name:34}{warm[name]:10.1f}{cold[name]:10.1f}")
            if title == "default set":
                totals = [sum(warm.values()), sum(cold.values())]
                print(f"{title:34}{totals[0]:10.1f}{totals[1]:10.1f}\n")
        records = [record_of(number) for number in range(200)]
        core = throughput(Enricher(validator), records, events)
        whole = throughput(Enricher(validator, enrichments=loaded.enrichments), records, events)
        print(f"\n{'whole of enrich, one process':34}{'events/s':>10}{'of core':>10}   aim")
        print(f"{'core, no enrichments':34}{core:10.0f}{1:10.0%}")
        print(f"{'with the default set':34}{whole:10.0f}{whole / core:10.0%}   50% or more")
        loaded.close()
        for each in more:
            each.close()
        http.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
