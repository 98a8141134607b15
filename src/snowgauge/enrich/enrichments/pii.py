"""PII pseudonymisation: personal data is replaced by a salted hash of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.jayway_jsonpath import Path, compile_path
from snowgauge.enrich.enrichments.md2 import md2
from snowgauge.enrich.enrichments.parameters import Parameters, shown
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaCriterion, SchemaKey, SelfDescribing

TRANSFORMATION = SchemaKey("com.snowplowanalytics.snowplow", "pii_transformation", "jsonschema", 1, 0, 0)

COLUMNS = (
    "user_id",
    "user_ipaddress",
    "user_fingerprint",
    "domain_userid",
    "network_userid",
    "ip_organization",
    "ip_domain",
    "tr_orderid",
    "ti_orderid",
    "mkt_term",
    "mkt_content",
    "se_category",
    "se_action",
    "se_label",
    "se_property",
    "mkt_clickid",
    "refr_domain_userid",
    "domain_sessionid",
)
"""The columns that can be pseudonymised."""
JSON_COLUMNS = ("unstruct_event", "contexts", "derived_contexts")

_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD2": lambda content: md2(content).hex(),
    **{
        name: partial(lambda make, content: make(content, usedforsecurity=False).hexdigest(), make)
        for name, make in {
            "MD5": hashlib.md5,
            "SHA-1": hashlib.sha1,
            "SHA-256": hashlib.sha256,
            "SHA-384": hashlib.sha384,
            "SHA-512": hashlib.sha512,
        }.items()
    },
}


class JsonLocator:
    """Where in JSON personal data stands: places of a path in the data of each matching entity or event."""

    def __init__(self, field: str, criterion: SchemaCriterion, path: Path) -> None:
        self.field = field
        self.criterion = criterion
        self.path = path

    def replaced(self, item: SelfDescribing, pseudonym: Callable[[str], str], changes: list[_Change]) -> SelfDescribing:
        """The item with new data, or itself where nothing was to be replaced."""
        if not self.criterion.matches(item.schema) or not self.path.places([item.data]):
            return item
        holder = [_copied(item.data)]
        before = len(changes)
        for container, key in self.path.places(holder):
            value = container[key]
            if isinstance(value, str):
                self._replace(container, key, item, pseudonym, changes)
            elif isinstance(value, list):
                for index, inner in enumerate(value):
                    if isinstance(inner, str):
                        self._replace(value, index, item, pseudonym, changes)
        return item if len(changes) == before else SelfDescribing(item.schema, holder[0])

    def _replace(
        self, container: Any, key: Any, item: SelfDescribing, pseudonym: Callable[[str], str], changes: list[_Change]
    ) -> None:
        original = container[key]
        container[key] = pseudonym(original)
        changes.append((self, original, container[key], item.schema))


_Change = tuple[str | JsonLocator, str, str, SchemaKey | None]


class PiiPseudonymization(Enrichment):
    """Replaces personal data by ``hash(value + salt)``, lower-case hex, in columns and inside JSON.

    Columns: only those of a fixed list of 18; one that is not set stays so. JSON: in every entity (or the event) whose
    schema matches, at each place of a JSONPath (Jayway's dialect), text is replaced, and of an array its direct text
    elements; numbers, booleans and objects stay. Locators work in order, each on the result of the one before. It runs
    after IP anonymisation, so it hashes the masked address, and reaches every entity attached before it. A hash may
    be longer or of another form than a schema allows: entities of enrichments are validated afterwards, the
    tracker's are not.

    With ``anonymousOnly`` only events of requests with the header ``SP-Anonymous`` are changed. ``emitEvent`` is
    required and publishes nothing, as in enrich 6.10: where it is true the record of what was changed is left for
    later enrichments of the same event (``outer["pii"]``, never stored, since it holds the originals).

    Never fails. A path, column or hash function that cannot work stops the start. MD2 is supported for those who
    have used it; choose SHA-256. Source: enrich 6.10.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/pii_enrichment_config/jsonschema/2-0-*"
    identifier = "pii"
    runs_at = PLACES["pii_enrichment_config"]
    conceals = True
    fields = (*COLUMNS, "unstruct_event", "contexts")
    beside_parameters = ("emitEvent", "anonymousOnly")
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/pii_enrichment_config/jsonschema/2-0-1",
        "data": {
            "name": "pii_enrichment_config",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "emitEvent": False,
            "anonymousOnly": False,
            "parameters": {
                "pii": [
                    {"pojo": {"field": "user_id"}},
                    {
                        "json": {
                            "field": "contexts",
                            "schemaCriterion": "iglu:com.acme/account/jsonschema/1-*-*",
                            "jsonPath": "$.['email', 'phone']",
                        }
                    },
                ],
                "strategy": {"pseudonymize": {"hashFunction": "SHA-256", "salt": "${?PII_SALT}"}},
            },
        },
    }

    def __init__(self, read: Parameters) -> None:
        self._locators = [_locator(item) for item in read.items("pii")]
        strategy = read["strategy"]["pseudonymize"]
        self._hash_name = strategy.text("hashFunction")
        if self._hash_name not in _HASHES:
            raise ValueError(
                f"Unknown function {self._hash_name} "
                f"({strategy.path}.hashFunction: expected one of {', '.join(_HASHES)})"
            )
        self._hash = _HASHES[self._hash_name]
        self._salt = strategy.text("salt", empty=True)
        self._anonymous_only = read.flag("anonymousOnly", default=False)
        self._emit = read.flag("emitEvent", default=False)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> PiiPseudonymization:  # noqa: ARG003
        return cls(Parameters(parameters))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        if self._anonymous_only and not any(line[:12].lower() == "sp-anonymous" for line in source.headers):
            return ()
        changes: list[_Change] = []
        for locator in self._locators:
            if isinstance(locator, str):
                original = getattr(event, locator)
                if original is not None:
                    pseudonym = self._pseudonym(original)
                    setattr(event, locator, pseudonym)
                    changes.append((locator, original, pseudonym, None))
            else:
                self._replace_in_json(locator, event, source, changes)
        if self._emit and changes:
            source.outer["pii"] = SelfDescribing(TRANSFORMATION, self._transformation(changes))
        return ()

    def _pseudonym(self, value: str) -> str:
        return self._hash((value + self._salt).encode("utf-8", "replace"))

    def _replace_in_json(
        self, locator: JsonLocator, event: EnrichedEvent, source: EnrichmentSource, changes: list[_Change]
    ) -> None:
        if locator.field == "unstruct_event":
            if event.unstruct_event is not None:
                event.unstruct_event = locator.replaced(event.unstruct_event, self._pseudonym, changes)
            return
        items = event.contexts if locator.field == "contexts" else source.entities
        for index, item in enumerate(items):
            items[index] = locator.replaced(item, self._pseudonym, changes)

    def _transformation(self, changes: list[_Change]) -> dict[str, Any]:
        """Data of a ``pii_transformation``: what was changed, the last change first."""
        pojo: list[dict[str, Any]] = []
        json: list[dict[str, Any]] = []
        for where, original, modified, schema in reversed(changes):
            values = {"originalValue": original, "modifiedValue": modified}
            if isinstance(where, str):
                pojo.append({"fieldName": where, **values})
            else:
                place = {"jsonPath": where.path.text, "schema": None if schema is None else schema.uri}
                json.append({"fieldName": where.field, **values, **place})
        changed = {name: items for name, items in (("pojo", pojo), ("json", json)) if items}
        return {"pii": changed, "strategy": {"pseudonymize": {"hashFunction": self._hash_name}}}


def _copied(value: Any) -> Any:
    """A copy of JSON data; several times faster than ``copy.deepcopy``, which has to expect anything."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _locator(item: Parameters) -> str | JsonLocator:
    if "pojo" in item:
        column = item["pojo"].text("field", empty=True)
        if column not in COLUMNS:
            raise ValueError(
                f"The specified pojo field {column} is not supported "
                f"({item.path}.pojo.field: expected one of {', '.join(COLUMNS)})"
            )
        return column
    if "json" not in item:
        raise ValueError(
            "PII Configuration: pii field does not include 'pojo' nor 'json' fields. "
            f"Got: [{shown(dict(item.values))}] ({item.path})"
        )
    json = item["json"]
    field = json.text("field", empty=True)
    if field not in JSON_COLUMNS:
        raise ValueError(
            f"The specified json field {field} is not supported "
            f"({json.path}.field: expected one of {', '.join(JSON_COLUMNS)})"
        )
    text = json.text("schemaCriterion", empty=True)
    try:
        criterion = SchemaCriterion.parse(text)
    except ValueError as error:
        raise ValueError(f"Could not parse schema criterion {text} ({json.path}.schemaCriterion: {error})") from None
    try:
        path = compile_path(json.text("jsonPath", empty=True))
    except ValueError as error:
        raise ValueError(f"{json.path}.jsonPath: {error}") from None
    return JsonLocator(field, criterion, path)
