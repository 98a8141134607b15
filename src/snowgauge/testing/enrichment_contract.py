"""What every enrichment promises, as checks that anyone's enrichment can be held to.

Each check takes the class and an instance made for a test (``None`` when it needs something the test has not), and
fails with ``AssertionError``. ``hostile_events`` are events no tracker would send.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from snowgauge.enrich.enrichments.base import DropEvent, Enrichment
from snowgauge.enrich.enrichments.registry import criteria
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.timestamps import MAX_MS, MIN_MS
from snowgauge.iglu.contract import Validator, ValidSchema
from snowgauge.testing.enriching import source_with

_TYPES: dict[str, Any] = {
    "string": str, "uuid": str, "decimal": str, "timestamp": int, "int": int, "boolean": bool, "float": float,
    "event": SelfDescribing, "entities": list,
}  # fmt: skip
_TEXTS = (
    "", " ", "\x00", "\t\n", "%", "%zz", "a" * 20_000, "🙂" * 500, "\ud800", "'\"\\", "null", "-1", "1e400", "::",
    "...", "256.256.256.256", "[::1]:99999", "::ffff:1.2.3.4%eth0", "Mozilla/5.0 (" + "(" * 2000, "http://[", "٣",
    "a.b.c.d.e.f.g.h",
)  # fmt: skip
_KEYS = (
    SchemaKey("com.snowplowanalytics.snowplow", "asn", "jsonschema", 1, 0, 1),
    SchemaKey("nl.basjes", "yauaa_context", "jsonschema", 1, 0, 5),
    SchemaKey("com.snowplowanalytics.snowplow", "client_side_bot_detection", "jsonschema", 1, 0, 0),
    SchemaKey("com.iab.snowplow", "spiders_and_robots", "jsonschema", 1, 0, 0),
)
_DATA: tuple[Any, ...] = (None, [], {}, "x", 7, {"number": "x"}, {"deviceClass": 1}, {"bot": "true"}, {"a": [[[{}]]]})


def check_declaration(found: type[Enrichment]) -> None:
    """Place, identifier, documentation and fields are declared; columns named exist."""
    columns = {field.name for field in ATOMIC_FIELDS}
    assert isinstance(found.runs_at, int)
    assert found.identifier
    assert found.__doc__, "the class needs a docstring: it becomes the documentation page"
    assert criteria(found) or found.repeats
    unknown = set(found.fields) - columns - {"*"}
    assert not unknown, f"no such columns: {sorted(unknown)}"


def check_sample(found: type[Enrichment], validator: Validator) -> None:
    """The sample configuration is one that Snowplow's schema accepts, and the class takes it."""
    item = SelfDescribing.parse(found.sample)
    assert any(criterion.matches(item.schema) for criterion in criteria(found))
    assert validator.check(item) == ValidSchema()


def check_hostile_events(enrichment: Enrichment, declared: Iterable[str]) -> None:
    """Whatever comes in, nothing but ``EnrichmentFailure`` comes out, no undeclared column changes, and columns keep
    their types."""
    allowed = set(declared)
    kinds = {field.name: field.kind for field in ATOMIC_FIELDS}
    for event, source in hostile_events():
        before = msgspec.structs.asdict(copy.deepcopy(event))
        entities: Iterable[SelfDescribing] = ()
        try:
            entities = enrichment.enrich(event, source)
        except (EnrichmentFailure, DropEvent):
            pass
        except ExceptionGroup as group:
            _only_failures(group)
        assert all(isinstance(entity, SelfDescribing) for entity in entities)
        after = msgspec.structs.asdict(event)
        changed = {name for name, value in after.items() if value != before[name]}
        assert "*" in allowed or changed <= allowed, f"changed without being declared: {sorted(changed - allowed)}"
        for name in changed:
            assert after[name] is None or isinstance(after[name], _TYPES[kinds[name]]), name
            assert after[name] != "", f"{name} is empty text; unset columns are None"


def check_repeatable(enrichment: Enrichment) -> None:
    """The same event gives the same result twice, and changing what came out changes nothing that comes later."""
    for event, source in ordinary_events():
        results = []
        for _ in range(2):
            mine, given = copy.deepcopy(event), copy.deepcopy(source)
            try:
                entities = list(enrichment.enrich(mine, given))
            except (EnrichmentFailure, DropEvent):
                entities = []
            except ExceptionGroup as group:
                _only_failures(group)
                entities = []
            results.append((msgspec.structs.asdict(mine), [copy.deepcopy(entity.as_json()) for entity in entities]))
            for entity in entities:
                if isinstance(entity.data, dict):
                    entity.data.clear()
        assert results[0] == results[1]


def _only_failures(group: ExceptionGroup[Exception]) -> None:
    rest = group.split(EnrichmentFailure)[1]
    if rest is not None:
        raise rest


def ordinary_events() -> Iterator[tuple[EnrichedEvent, Any]]:
    """A page view of a browser, one of a crawler, and an event with hardly anything."""
    yield (
        EnrichedEvent(
            platform="web",
            event="page_view",
            event_name="page_view",
            collector_tstamp=1_700_000_000_000,
            derived_tstamp=1_700_000_000_000,
            user_ipaddress="198.51.100.7",
            useragent="Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
            page_url="https://shop.example/?utm_source=a",
            page_urlhost="shop.example",
            page_referrer="https://www.google.com/search?q=shoes",
            refr_urlscheme="https",
            refr_urlhost="www.google.com",
            refr_urlpath="/search",
            refr_urlquery="q=shoes",
        ),
        source_with(parameters={"e": "pv"}, page_query=[("utm_source", "a")], headers=["Cookie: a=b"]),
    )
    yield (
        EnrichedEvent(useragent="Googlebot/2.1 (+http://www.google.com/bot.html)", derived_tstamp=1),
        source_with(headers=["User-Agent: Googlebot"]),
    )
    yield EnrichedEvent(), source_with()


def hostile_events() -> Iterator[tuple[EnrichedEvent, Any]]:
    """Every text column filled with each hostile text, and entities whose data is not what their schema says."""
    texts = [field.name for field in ATOMIC_FIELDS if field.kind in ("string", "uuid", "decimal")]
    for text in _TEXTS:
        event = EnrichedEvent(**dict.fromkeys(texts, text or None))
        event.derived_tstamp = event.collector_tstamp = MIN_MS
        for name in ("refr_urlscheme", "page_urlscheme"):
            setattr(event, name, "https")
        yield (
            event,
            source_with(
                parameters={text: text, "url": text, "e": None},
                page_query=[(text, text), ("_sp", text), ("utm_source", text), ("gclid", None)],
                headers=[text, f"Cookie: {text}", f"Sec-CH-UA: {text}", f"User-Agent: {text}", f": {text}"],
            ),
        )
    for data in _DATA:
        event = EnrichedEvent(event="unstruct", derived_tstamp=MAX_MS, collector_tstamp=MAX_MS)
        event.contexts = [SelfDescribing(key, copy.deepcopy(data)) for key in _KEYS]
        event.unstruct_event = SelfDescribing(_KEYS[0], copy.deepcopy(data))
        yield event, source_with(entities=[SelfDescribing(key, copy.deepcopy(data)) for key in _KEYS])
