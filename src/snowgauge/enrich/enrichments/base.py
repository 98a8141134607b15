"""The contract of an enrichment.

An enrichment sees an event between input validation and output validation. It may set columns, attach entities
(``event.derived_contexts`` is managed by the caller: **return** the new entities) and raise ``EnrichmentFailure``;
anything else it raises is caught by the caller, reported as that enrichment's failure, and counted as a bug. It keeps
no state about events between calls (caches keyed by input are fine) and is called from one thread at a time.

A new enrichment is one module in this folder with a class derived from :class:`Enrichment`; the registry finds it.
The life of one: ``config`` is matched against the schema of each configuration file; ``Settings`` is made from the
file's ``parameters`` (after the file was checked against its Iglu schema); ``create`` fetches what it needs once;
``enrich`` runs per event, in the order of ``runs_at`` (enrich 6.10's order; ties are refused).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.tracker import TrackerEvent

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

PLACES: dict[str, int] = {
    # name of the configuration schema -> place in the order (enrich 6.10, EnrichmentManager)
    "iab_spiders_and_robots_enrichment": 10,
    "user_agent_utils_config": 20,
    "ua_parser_config": 30,
    "currency_conversion_config": 40,
    "referer_parser": 50,
    "campaign_attribution": 60,
    "cross_navigation_config": 70,
    "event_fingerprint_config": 80,
    "cookie_extractor_config": 90,
    "http_header_extractor_config": 100,
    "yauaa_enrichment_config": 120,
    # 125: event_vendor, event_name, event_format, event_version are set here by the core
    "ip_lookups": 130,
    # 110 in enrich 6.10, where it never sees a location and fails every event; here it comes after ip_lookups
    "weather_enrichment_config": 135,
    "asn_lookups": 140,
    "bot_detection_enrichment_config": 150,
    "javascript_script_config": 160,
    "sql_query_enrichment_config": 170,
    "api_request_enrichment_config": 180,
    "anon_ip": 190,
    "pii_enrichment_config": 200,
    "event_spec_enrichment_config": 210,
}
EVENT_COLUMNS_PLACE = 125


class DropEvent(Exception):
    """Raised by an enrichment that was told to drop this event (JavaScript and Python enrichments only)."""


class EnrichmentSource(msgspec.Struct):
    """What an enrichment may look at beside the event.

    ``page_query`` is the querystring of the page URL as (name, value) pairs, decoded, in order; a map of it takes the
    last of a name. ``headers`` are ``Name: value`` lines as the collector stored them. ``entities`` are all entities
    attached by enrichments so far, newest enrichment first; the list is the caller's own, so an enrichment that
    replaces or removes entities (ASN lookups, JavaScript's ``eraseDerived_contexts``, PII) does it in this list.
    ``outer`` is a mapping that lets one enrichment leave a value for a later one of the same event (used by few; keys
    are module names).
    """

    tracker: TrackerEvent
    page_query: Sequence[tuple[str, str | None]]
    entities: list[SelfDescribing]
    etl_tstamp: int
    outer: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, str | None]:
        return self.tracker.parameters

    @property
    def headers(self) -> Sequence[str]:
        return self.tracker.payload.headers or ()


class Assets(Protocol):
    """Files that enrichments need, kept fresh by someone else."""

    def get(self, uri: str, load: Callable[[bytes], T]) -> Asset[T]:
        """The asset at ``uri``, fetched and loaded now; raises ``AssetError``. Later refreshes swap its value."""

    def get_file(self, uri: str, load: Callable[[Path], T]) -> Asset[T]:
        """As ``get``, for readers that map a file into memory: the path is a kept copy that is never written again."""

    def find(self, pattern: str) -> str | None:
        """URI of a file in the data folder's ``assets`` that matches a glob pattern, newest first."""


class Asset(Protocol[T_co]):
    """A loaded file. ``value`` is the newest good version; reading it twice may give two versions."""

    @property
    def value(self) -> T_co: ...


class HttpFetch(Protocol):
    """Outgoing HTTP with the deployment's limits: timeout, size, retries, and no private hosts unless allowed."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of the answer. Raises ``OSError`` with a readable text for everything else."""


class Means(msgspec.Struct):
    """What enrichments are given at start: nothing is read from the environment or a global."""

    assets: Assets
    http: HttpFetch
    folder: str | None = None
    allow_private_hosts: bool = False
    max_json_depth: int = 50
    script_seconds: float = 1.0
    """Time that one JavaScript call on one event may take."""
    script_memory: int = 64 * 1024 * 1024
    """Bytes that one JavaScript engine may take."""
    exit_on_compile_error: bool = True
    """False: a JavaScript that does not compile fails events, not the start."""


class Enrichment:
    """Base of all enrichments."""

    config: ClassVar[str]
    """Criteria of the configuration schemas it takes, newest first, separated by spaces,
    e.g. ``iglu:com.snowplowanalytics.snowplow/ua_parser_config/jsonschema/1-0-*``."""
    identifier: ClassVar[str]
    """Snowplow's name of it in failures, e.g. ``ua-parser``."""
    runs_at: ClassVar[int]
    """Its place in the order; see ``PLACES``."""
    repeats: ClassVar[bool] = False
    """True where several configurations may be active at once (JavaScript, Python)."""
    conceals: ClassVar[bool] = False
    """True where what it replaces is not to be seen afterwards, in explanations either (IP anonymisation, PII)."""
    fields: ClassVar[tuple[str, ...]] = ()
    """Columns it may set (``*``: any)."""
    default: ClassVar[dict[str, Any] | None] = None
    """``parameters`` used when nothing is configured at all; ``None``: off by default."""
    default_needs: ClassVar[str] = ""
    """What has to be there for the default to work, in words after "a": "database in the data folder"."""
    beside_parameters: ClassVar[tuple[str, ...]] = ()
    """Keys that its configuration has beside ``parameters`` (PII: ``emitEvent``, ``anonymousOnly``). The loader merges
    those present into the parameters that ``create`` is given."""
    sample: ClassVar[dict[str, Any]]
    """A whole configuration file, self-describing: shown in the documentation, checked against its schema."""

    schema_key: SchemaKey
    """Set by the loader: the schema of the configuration in use."""

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> Enrichment | None:
        """An instance, or ``None`` when a default cannot work here (no database file). Raises ``ValueError`` with a
        text that names the parameter, the value seen and what is allowed; or ``AssetError``."""
        raise NotImplementedError

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        """Set columns, return entities to attach. Raises ``EnrichmentFailure``, or several in one
        ``ExceptionGroup``."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of connections and threads."""
