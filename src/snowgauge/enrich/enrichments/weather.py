"""Weather: what the weather was like where and when the event happened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote_plus

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, HttpFetch, Means
from snowgauge.enrich.enrichments.caching_evaluator import CachingEvaluator
from snowgauge.enrich.enrichments.json_text import read_json
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.timestamps import iso_text

ENTITY = SchemaKey("org.openweathermap", "weather", "jsonschema", 1, 0, 0)
_NEEDED = ("geo_latitude", "geo_longitude", "derived_tstamp")
_DAY = 86_400
_GOOD_FOR, _RETRY_AFTER = 3600, 60
_PARTS = {
    "main": ("temp", "temp_min", "temp_max", "pressure", "humidity", "sea_level", "grnd_level"),
    "wind": ("speed", "deg", "gust", "var_beg", "var_end"),
    "clouds": ("all",),
    "rain": ("1h", "3h"),
    "snow": ("1h", "3h"),
}
_CONDITION = ("main", "description", "id", "icon")


class WeatherError(Exception):
    """OpenWeather answered, and not with weather."""


class Weather(Enrichment):
    """Attaches the weather at the event's place and time, from OpenWeather's history API.

    The place is rounded to ``1 / geoPrecision`` of a degree and a UTC day is asked for as a whole; of the day's
    records the one nearest to derived_tstamp counts. Answers are remembered by day and place (``cacheSize`` of them,
    an hour long, since the current day grows). ``apiHost`` is ``history.openweathermap.org`` or
    ``pro.openweathermap.org``, as the account says; with ``http://`` in front it is asked without TLS.

    Attaches one ``org.openweathermap/weather/jsonschema/1-0-0``; sets no column. It needs ip_lookups with a city
    database: fails with ``missing`` for each of geo_latitude, geo_longitude, derived_tstamp that the event lacks.
    Fails with ``Check your API key``, ``Request failed with status N``, or why the service cannot be reached.

    Source: enrich 6.10, which runs it before the location is known, so that it fails every event; here it runs after
    ip_lookups.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/weather_enrichment_config/jsonschema/1-0-*"
    identifier = "weather"
    runs_at = PLACES["weather_enrichment_config"]
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow.enrichments/weather_enrichment_config/jsonschema/1-0-0",
        "data": {
            "name": "weather_enrichment_config",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "parameters": {
                "apiKey": "${?OPEN_WEATHER_KEY}",
                "apiHost": "history.openweathermap.org",
                "cacheSize": 5100,
                "geoPrecision": 1,
                "timeout": 5,
            },
        },
    }

    def __init__(self, read: Parameters, http: HttpFetch, max_json_depth: int) -> None:
        self._key = read.text("apiKey", empty=True)
        host = read.text("apiHost")
        self._endpoint = (host if "://" in host else f"https://{host}").rstrip("/") + "/data/2.5/history/city"
        self._precision = read.integer("geoPrecision", 1, 10)
        self._timeout = read.integer("timeout", 1)
        self._cache: CachingEvaluator[list[dict[str, Any]]] = CachingEvaluator(
            read.integer("cacheSize", 1, 1_000_000), _GOOD_FOR, (OSError, WeatherError), error_ttl=_RETRY_AFTER
        )
        self._http = http
        self._max_depth = max_json_depth

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> Weather:
        return cls(Parameters(parameters), means.http, means.max_json_depth)

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        latitude, longitude, moment = (getattr(event, name) for name in _NEEDED)
        if latitude is None or longitude is None or moment is None:
            raise ExceptionGroup(
                "weather",
                [
                    EnrichmentFailure("missing", field=name, value=None)
                    for name in _NEEDED
                    if getattr(event, name) is None
                ],
            )
        place = (self._rounded(latitude), self._rounded(longitude))
        day = moment // 1000 // _DAY * _DAY
        try:
            records = self._cache.get((day, place), lambda: self._ask(day, *place))
        except (OSError, WeatherError) as error:
            raise EnrichmentFailure(str(error)) from None
        nearest = min(records, key=lambda record: abs(record["dt"] * 1000 - moment))
        return (SelfDescribing(ENTITY, {**nearest, "dt": iso_text(nearest["dt"] * 1000)}),)

    def _rounded(self, degrees: float) -> float:
        return math.floor(degrees * self._precision + 0.5) / self._precision

    def _ask(self, day: int, latitude: float, longitude: float) -> list[dict[str, Any]]:
        status, content = self._http(
            "GET",
            f"{self._endpoint}?appid={quote_plus(self._key)}&lat={latitude}&lon={longitude}"
            f"&start={day}&end={day + _DAY - 1}&cnt=24",
            timeout=float(self._timeout),
        )
        if status == 401:
            raise WeatherError("Check your API key")
        if status != 200:
            raise WeatherError(f"Request failed with status {status}")
        try:
            answer = read_json(content, self._max_depth)
        except ValueError as error:
            raise WeatherError(str(error)) from None
        found = answer.get("list") if isinstance(answer, dict) else None
        records = [_record(item) for item in found or () if isinstance(item, dict) and isinstance(item.get("dt"), int)]
        if not records:
            raise WeatherError(f"OpenWeather has no records of {datetime.fromtimestamp(day, UTC).date()} at this place")
        return records


def _record(item: dict[str, Any]) -> dict[str, Any]:
    """What the entity's schema knows of one record; parts that are null are left out."""
    record: dict[str, Any] = {"dt": item["dt"]}
    for part, names in _PARTS.items():
        values = item.get(part)
        if isinstance(values, dict):
            record[part] = {name: values[name] for name in names if values.get(name) is not None}
    conditions = item.get("weather")
    if isinstance(conditions, list):
        record["weather"] = [
            {name: one[name] for name in _CONDITION if one.get(name) is not None}
            for one in conditions
            if isinstance(one, dict)
        ]
    return record
