"""Event specification: which event of the tracking plan an event is, found from its schema, data and entities."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec

from snowgauge.enrich.assets import joined
from snowgauge.enrich.enrichments.base import PLACES, Asset, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

_VENDOR, _NAME = "com.snowplowanalytics.snowplow", "event_specification"
ENTITY = SchemaKey(_VENDOR, _NAME, "jsonschema", 1, 0, 4)

_PAGE = (
    "page_url",
    "page_title",
    "page_referrer",
    "page_urlscheme",
    "page_urlhost",
    "page_urlport",
    "page_urlpath",
    "page_urlquery",
    "page_urlfragment",
)
_SYNTHETIC = {
    "page_view": (SchemaKey(_VENDOR, "page_view", "jsonschema", 1, 0, 0).uri, _PAGE),
    "page_ping": (
        SchemaKey(_VENDOR, "page_ping", "jsonschema", 1, 0, 0).uri,
        (*_PAGE, "pp_xoffset_min", "pp_xoffset_max", "pp_yoffset_min", "pp_yoffset_max"),
    ),
}
"""Events without data of their own: the schema and the columns that specifications see them as."""


class _Entity(msgspec.Struct, rename="camel"):
    schema_key: str
    min_cardinality: int | None = None
    max_cardinality: int | None = None
    constraint: dict[str, Any] | None = None


class _Specification(msgspec.Struct, rename="camel"):
    id: str
    name: str
    schema_key: str
    version: int | None = None
    constraint: dict[str, Any] | None = None
    entities: list[_Entity] = []


class _File(msgspec.Struct, rename="camel"):
    event_specs: list[_Specification]


Check = Callable[[Any], bool]


class Specification:
    """One specification, its constraints compiled."""

    def __init__(self, read: _Specification) -> None:
        self.schema = SchemaKey.parse(read.schema_key).uri
        self._check = _compiled(read.constraint)
        self._entities = [
            (
                SchemaKey.parse(entity.schema_key).uri,
                entity.min_cardinality or 0,
                entity.max_cardinality,
                _compiled(entity.constraint),
            )
            for entity in read.entities
        ]
        self.data: dict[str, Any] = {"id": read.id, "name": read.name}
        if read.version is not None:
            self.data["version"] = read.version

    def matches(self, data: Any, entities: dict[str, list[Any]]) -> bool:
        """Whether an event of this schema, with these entities by schema, is what is specified."""
        if self._check is not None and not self._check(data):
            return False
        for schema, least, most, check in self._entities:
            found = entities.get(schema, ())
            if len(found) < least or (most is not None and len(found) > most):
                return False
            if check is not None and not all(check(item) for item in found):
                return False
        return True


def _compiled(constraint: dict[str, Any] | None) -> Check | None:
    if constraint is None:
        return None
    import jsonschema_rs

    return jsonschema_rs.Draft4Validator(constraint).is_valid


def load_specifications(content: bytes) -> dict[str, list[Specification]]:
    """Specifications by the schema of their event; of those with a version the highest of each id.

    Raises ``ValueError`` for what is no specifications file.
    """
    try:
        read = msgspec.convert(json.loads(content), _File).event_specs
        newest: dict[str, int] = {}
        for one in read:
            if one.version is not None:
                newest[one.id] = max(one.version, newest.get(one.id, one.version))
        by_schema: dict[str, list[Specification]] = {}
        for one in read:
            if one.version is None or one.version == newest[one.id]:
                specification = Specification(one)
                by_schema.setdefault(specification.schema, []).append(specification)
    except Exception as error:
        # the file is written by others: bad JSON, wrong shapes, schema keys and constraints all end here
        raise ValueError(f"Failed to parse event specs file: {error}") from error
    return by_schema


class EventSpecification(Enrichment):
    """Attaches the specifications of the tracking plan that an event fulfils.

    The file (``uri`` and ``database``) lists specifications: an event's schema, a constraint on its data (JSON Schema
    draft 4), and entities with how often they may occur and constraints of their own. All must hold; entities that a
    specification does not name are allowed. Page views and pings count as events of
    ``com.snowplowanalytics.snowplow/page_view`` and ``page_ping`` 1-0-0 with their page columns as data. Of a
    specification with versions only the highest takes part. An event whose tracker named its specification already
    is left alone.

    Attaches one ``com.snowplowanalytics.snowplow/event_specification/jsonschema/1-0-4`` per match, in the file's
    order; sets no column and never fails. A file that cannot be read stops the start. Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/event_spec_enrichment_config/jsonschema/1-0-*"
    identifier = "event-spec"
    runs_at = PLACES["event_spec_enrichment_config"]
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/event_spec_enrichment_config/jsonschema/1-0-0",
        "data": {
            "enabled": True,
            "parameters": {"uri": "https://assets.acme.com/tracking-plan", "database": "event-specs.json"},
        },
    }

    def __init__(self, specifications: Asset[dict[str, list[Specification]]]) -> None:
        self._specifications = specifications

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> EventSpecification:
        read = Parameters(parameters)
        return cls(means.assets.get(joined(read.text("uri"), read.text("database")), load_specifications))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        if event.unstruct_event is not None:
            schema = event.unstruct_event.schema.uri
        elif event.event_name in _SYNTHETIC:
            schema = _SYNTHETIC[event.event_name][0]
        else:
            return ()
        candidates = self._specifications.value.get(schema)
        if not candidates:
            return ()
        entities: dict[str, list[Any]] = {}
        for item in event.contexts:
            if item.schema.name == _NAME and item.schema.vendor == _VENDOR:
                return ()
            entities.setdefault(item.schema.uri, []).append(item.data)
        if event.unstruct_event is not None:
            data = event.unstruct_event.data
        else:
            data = {column: getattr(event, column) for column in _SYNTHETIC[str(event.event_name)][1]}
        return [SelfDescribing(ENTITY, dict(one.data)) for one in candidates if one.matches(data, entities)]
