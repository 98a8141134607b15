"""Referer parser: which kind of site, which site and which search words led to the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, ClassVar
from urllib.parse import unquote

import msgspec

from snowgauge.enrich.assets import joined
from snowgauge.enrich.enrichments.base import PLACES, Asset, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.tsv_text import tsv_safe

_SCHEMES = frozenset({"http", "https", "android-app"})
_CACHED = 20_000
_LONGEST_CACHED = 1000
_OWN_FILES = "*referers*.json"


class Referer(msgspec.Struct, frozen=True):
    medium: str
    source: str
    parameters: frozenset[str]


Referers = dict[str, Referer]
"""By host, or host and path (``yahoo.com/path``)."""


class RefererParser(Enrichment):
    """Names the medium, the source and the search words of a referrer.

    A host that equals the page's, or one of ``internalDomains`` (without its subdomains), is ``internal``. Otherwise
    ``referrers`` and then the file ``database`` at ``uri`` are searched by host and path, dropping labels from the left
    of the host; what is in neither is ``unknown``. A path that is listed for a parent domain beats a bare host. Schemes
    and hosts have no case here, where enrich 6.10 takes them as they are written. The words are those of the first
    parameter of the referrer's query that the source lists.

    By default Snowgauge's own list is used (``referers.json`` beside this module: search, social, email, paid, and
    chatbot for assistants), together with files named ``*referers*.json`` in the data folder's ``assets``, which count
    first. All lists have the shape ``{medium: {source: {"domains": [...], "parameters": [...]}}}``.

    Sets refr_medium, refr_source, refr_term. Attaches nothing and never fails on an event. Source: enrich 6.10,
    referer-parser 3.0; a query that cannot be decoded gives no words, where enrich crashes.
    """

    config = "iglu:com.snowplowanalytics.snowplow/referer_parser/jsonschema/2-0-*"
    identifier = "referer-parser"
    runs_at = PLACES["referer_parser"]
    fields = ("refr_medium", "refr_source", "refr_term")
    # "uri" and "database" are required of a file; without them the list of this package is meant
    default: ClassVar[dict[str, Any] | None] = {"internalDomains": []}
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/referer_parser/jsonschema/2-0-1",
        "data": {
            "name": "referer_parser",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {
                "internalDomains": ["shop.example.com"],
                "database": "referers-latest.json",
                "uri": "https://lists.example.com",
                "referrers": {"search": {"Acme search": {"domains": ["search.example.com"], "parameters": ["q"]}}},
            },
        },
    }

    def __init__(
        self, internal: Iterable[str], own: Referers, listed: Asset[Referers] | None, built_in: Referers
    ) -> None:
        self._internal = frozenset(host.strip().lower() for host in internal)
        self._own = own
        self._listed = listed
        self._built_in = built_in
        self._in_use: Referers | None = None
        self._found = lru_cache(maxsize=_CACHED)(self._find)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> RefererParser:
        read = Parameters(parameters)
        internal = read.texts("internalDomains")
        own = as_map(parameters.get("referrers") or {})
        if "uri" in read or "database" in read:
            uri = joined(read.text("uri"), read.text("database"))
            return cls(internal, own, means.assets.get(uri, read_list), {})
        found = means.assets.find(_OWN_FILES)
        return cls(internal, own, means.assets.get(found, read_list) if found else None, built_in())

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        if event.refr_urlhost is None or (event.refr_urlscheme or "").lower() not in _SCHEMES:
            return ()
        host = event.refr_urlhost.lower()
        if host == (event.page_urlhost or "").lower() or host in self._internal:
            event.refr_medium = "internal"
            return ()
        listed = self._listed.value if self._listed is not None else self._built_in
        if listed is not self._in_use:
            self._in_use = listed
            self._found.cache_clear()
        path, query = event.refr_urlpath, event.refr_urlquery
        # long addresses seldom come again, and would fill the memory
        find = self._found if len(path or "") + len(query or "") < _LONGEST_CACHED else self._find
        event.refr_medium, event.refr_source, event.refr_term = find(host, path, query)
        return ()

    def _find(self, host: str, path: str | None, query: str | None) -> tuple[str | None, str | None, str | None]:
        keys = list(_keys(host, unquote(path or "")))
        # each list is searched as a whole before the next one
        referer = next(
            (known[key] for known in (self._own, self._in_use or {}, self._built_in) for key in keys if key in known),
            None,
        )
        if referer is None:
            return "unknown", None, None
        term = _term(query, referer.parameters) if query else None
        return tsv_safe(referer.medium), tsv_safe(referer.source), tsv_safe(term)


def _keys(host: str, path: str) -> Iterable[str]:
    """Places to look, best first: the path is the outer loop (referer-parser 3.0)."""
    first = next((segment for segment in path.split("/") if segment), None)
    labels = host.split(".")[:128]
    for suffix in [path, f"/{first}", ""] if first else [""]:
        for start in range(len(labels)):
            yield ".".join(labels[start:]) + suffix


def _key(domain: str) -> str:
    """A list's entry as it is looked up: hosts have no case, paths do."""
    host, slash, path = domain.partition("/")
    return host.lower() + slash + path


def _term(query: str, wanted: frozenset[str]) -> str | None:
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        if not (equals and name):
            name, value = pair, ""
        if unquote(name.replace("+", " ")) in wanted:
            return unquote(value.replace("+", " "))
    return None


def as_map(document: Any) -> Referers:
    """A list as a map by host and path. Raises ``ValueError`` naming the place that is not as expected."""
    if not isinstance(document, dict):
        raise ValueError("Can't decode referers: Referers json must be an object")
    found: Referers = {}
    for medium, sources in document.items():
        if not isinstance(sources, dict):
            raise ValueError(f"medium {medium!r}: expected an object of sources, found {sources!r:.80}")
        for source, about in sources.items():
            domains = about.get("domains") if isinstance(about, dict) else None
            parameters = (about.get("parameters") or []) if isinstance(about, dict) else []
            if not (isinstance(domains, list) and isinstance(parameters, list)):
                raise ValueError(
                    f"{medium} / {source}: expected {{'domains': [...], 'parameters': [...]}}, found {about!r:.80}"
                )
            referer = Referer(medium, source, frozenset(map(str, parameters)))
            found.update((_key(str(domain)), referer) for domain in domains)
    return found


def read_list(content: bytes) -> Referers:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    return as_map(document)


@cache
def built_in() -> Referers:
    """Snowgauge's own list."""
    return read_list(files(__package__).joinpath("referers.json").read_bytes())
