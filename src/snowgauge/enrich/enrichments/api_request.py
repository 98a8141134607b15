"""API request: data about the event's user, product or order from an HTTP service of the user's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import quote_plus, urlsplit

import msgspec

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, HttpFetch, Means
from snowgauge.enrich.enrichments.caching_evaluator import CachingEvaluator
from snowgauge.enrich.enrichments.event_inputs import MISSING, ColumnInput, JsonInput, read_input
from snowgauge.enrich.enrichments.gatling_jsonpath import JsonPathError, compile_path
from snowgauge.enrich.enrichments.json_text import compact, read_json
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TEMPLATE = re.compile(r"\{\{ *([A-Za-z0-9_-]+) *\}\}")
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_HEADERS = {"content-type": "application/json", "accept": "*/*"}


class AnswerError(Exception):
    """The service answered, and not with what was asked for."""


class Output:
    """One entity made of an answer."""

    def __init__(self, schema: SchemaKey, path: str) -> None:
        self.schema = schema
        self.path = path

    def entity(self, answer: Any) -> SelfDescribing:
        """Raises ``EnrichmentFailure``."""
        try:
            value = compile_path(self.path).fold(answer)
        except JsonPathError as error:
            raise EnrichmentFailure(f"API Request enrichment:JSONPath error {error}") from None
        if value == []:
            raise EnrichmentFailure(
                "API Request enrichment:Value not found Error: no values were found by JSON Path "
                f"[{self.path}] in [{compact(answer)}]"
            )
        return SelfDescribing(self.schema, value)


class ApiRequest(Enrichment):
    """Asks an HTTP service about each event and attaches pieces of its JSON answer as entities.

    ``inputs`` name values of the event: a column, or a JSONPath (Gatling's dialect) into the first entity or event
    whose schema matches. ``{{key}}`` in the address is replaced by the encoded value; POST and PUT also send all
    inputs as a JSON object. When an input is missing, or a ``{{key}}`` of the address has none, nothing is asked and
    nothing attached. Of two inputs with one key the last counts, but both must be there: a second input is no
    fallback.

    Answers are remembered by address and body, and shared by all ``outputs``. Each output is a JSONPath into the
    answer with the schema of its entity; a path that finds nothing, or an empty array, is a failure. With
    ``ignoreOnError`` failures attach nothing instead.

    Sets no column. Fails with the service's trouble (``Request failed with status N``), or with texts that start
    ``API Request enrichment:``, one per output. A service that cannot be reached three times in a row is left alone
    for ten seconds. Source: enrich 6.10; arrays as inputs are joined by commas, as its code meant to.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/api_request_enrichment_config/jsonschema/1-0-*"
    identifier = "api-request"
    runs_at = PLACES["api_request_enrichment_config"]
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/api_request_enrichment_config/jsonschema/1-0-2",
        "data": {
            "name": "api_request_enrichment_config",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "parameters": {
                "inputs": [
                    {"key": "user", "pojo": {"field": "user_id"}},
                    {
                        "key": "plan",
                        "json": {
                            "field": "contexts",
                            "schemaCriterion": "iglu:com.acme/account/jsonschema/1-*-*",
                            "jsonPath": "$.plan",
                        },
                    },
                ],
                "api": {
                    "http": {
                        "method": "GET",
                        "uri": "https://api.acme.com/users/{{user}}?plan={{plan}}",
                        "timeout": 5000,
                        "authentication": {"httpBasic": {"username": "xxx", "password": "yyy"}},
                    }
                },
                "outputs": [{"schema": "iglu:com.acme/user/jsonschema/1-0-0", "json": {"jsonPath": "$.record"}}],
                "cache": {"size": 3000, "ttl": 60},
                "ignoreOnError": False,
            },
        },
    }

    def __init__(self, read: Parameters, http: HttpFetch, max_json_depth: int) -> None:
        self._inputs: list[tuple[str, ColumnInput | JsonInput]] = []
        for item in read.items("inputs"):
            key = item.text("key")
            if not _KEY.fullmatch(key):
                raise item.wrong("key", "letters, digits, '_' and '-'")
            self._inputs.append((key, read_input(item)))
        api = read["api"]["http"]
        self._method = api.choice("method", ("GET", "POST", "PUT"))
        self._uri = api.text("uri")
        self._timeout = api.integer("timeout", 1, 60_000) / 1000
        self._auth: tuple[str, str] | None = None
        if "httpBasic" in api["authentication"]:
            basic = api["authentication"]["httpBasic"]
            self._auth = (basic.text("username", empty=True), basic.text("password", empty=True))
        self._outputs = [
            Output(SchemaKey.parse(item.text("schema")), item["json"].text("jsonPath"))
            for item in read.items("outputs")
        ]
        if not self._outputs:
            raise read.wrong("outputs", "at least one output")
        self._ignore = read.flag("ignoreOnError", default=False)
        cache = read["cache"]
        self._cache: CachingEvaluator[Any] = CachingEvaluator(
            cache.integer("size", 0), cache.integer("ttl", 0, 86_400), (OSError, AnswerError)
        )
        self._http = http
        self._max_depth = max_json_depth

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> ApiRequest:
        return cls(Parameters(parameters), means.http, means.max_json_depth)

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        try:
            return self._lookup(event, source)
        except (EnrichmentFailure, ExceptionGroup):
            if self._ignore:
                return ()
            raise

    def _lookup(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        values = self._values(event, source)
        if values is None:
            return ()
        uri = _TEMPLATE.sub(lambda found: _encoded(values[found[1]]) if found[1] in values else found[0], self._uri)
        if "{" in uri or "}" in uri:
            return ()
        body = None if self._method == "GET" else msgspec.json.encode(values)
        try:
            answer = self._cache.get((uri, body), lambda: self._ask(uri, body))
        except (OSError, AnswerError) as error:
            raise EnrichmentFailure(str(error)) from None
        entities, failures = [], []
        for output in self._outputs:
            try:
                entities.append(output.entity(answer))
            except EnrichmentFailure as failure:
                failures.append(failure)
        if failures:
            raise ExceptionGroup("outputs", failures)
        return entities

    def _values(self, event: EnrichedEvent, source: EnrichmentSource) -> dict[str, str] | None:
        """Text of every input; ``None`` where one is missing."""
        values: dict[str, str] = {}
        missing = False
        failures = []
        for key, one in self._inputs:
            if isinstance(one, ColumnInput):
                if not one.known:
                    failures.append(EnrichmentFailure(
                        f"Error accessing POJO input field [{key}]: [the event has no field {one.field}]"
                    ))  # fmt: skip
                    continue
                found = one.find(event, source)
                missing = missing or found is None
            else:
                if one.path is None:
                    failures.append(EnrichmentFailure(f"API Request enrichment:JSONPath error {one.error}"))
                    continue
                found = one.find(event, source)
                if found is MISSING:
                    missing = True
                elif found is None:
                    found = "null"
            values[key] = "" if missing else _text(found)
        if failures:
            raise ExceptionGroup("inputs", failures)
        return None if missing else values

    def _ask(self, uri: str, body: bytes | None) -> Any:
        _check_uri(uri)
        status, content = self._http(
            self._method, uri, headers=_HEADERS, body=body, auth=self._auth, timeout=self._timeout
        )
        if not 200 <= status < 300:
            raise AnswerError(f"Request failed with status {status}")
        try:
            return read_json(content, self._max_depth)
        except ValueError as error:
            raise AnswerError(str(error)) from None


def _check_uri(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        wrong = "" if parts.scheme and parts.hostname else "it names no scheme or no host"
        if _BLANK.search(uri):
            wrong = "it holds a space or a control character"
    except ValueError as error:
        wrong = str(error)
    if wrong:
        raise AnswerError(f"uri [{uri}] is not valid: {wrong}")


@lru_cache(maxsize=4096)
def _encoded(value: str) -> str:
    """As Java's ``URLEncoder``: a form value."""
    return quote_plus(value, safe="*", errors="replace").replace("~", "%7E")


def _text(value: Any) -> str:
    """An input as it stands in the address and the body."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join([_text(item) for item in value])
    return compact(value)
