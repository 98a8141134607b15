"""Weather against a real HTTP server that answers like OpenWeather."""

import pytest

from snowgauge.enrich.enrichments.base import PLACES
from snowgauge.enrich.enrichments.weather import Weather
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.timestamps import parse_ms
from snowgauge.outgoing import HttpClient
from snowgauge.testing.enriching import failures_of, means_with, source_with
from snowgauge.testing.web import serving

PATH = "/data/2.5/history/city"
AT = parse_ms("2023-10-15T13:40:00Z")
DAY = parse_ms("2023-10-15T00:00:00Z") // 1000
MAIN = {"temp": 285.1, "temp_min": 284, "temp_max": 286.2, "pressure": 1015, "humidity": 80}


def record(hour, **more):
    return {"dt": DAY + hour * 3600, "main": MAIN, "clouds": {"all": 75}, **more}


@pytest.fixture
def web():
    with serving() as server:
        server.answers[PATH] = (200, {"cod": "200", "list": [record(hour) for hour in range(24)]})
        yield server


@pytest.fixture
def build():
    http = HttpClient(timeout=60, retries=0, allow_private_hosts=True)

    def build(web, **changes):
        parameters = {"apiKey": "k", "apiHost": web.url, "cacheSize": 10, "geoPrecision": 2, "timeout": 60, **changes}
        return Weather.create(parameters, means_with(http=http))

    yield build
    http.close()


def event(latitude=52.28, longitude=-0.12, at=AT):
    return EnrichedEvent(geo_latitude=latitude, geo_longitude=longitude, derived_tstamp=at)


def test_the_nearest_record_of_the_day_is_attached(web, build):
    (entity,) = build(web).enrich(event(), source_with())
    assert entity.as_json() == {
        "schema": "iglu:org.openweathermap/weather/jsonschema/1-0-0",
        "data": {"dt": "2023-10-15T14:00:00.000Z", "main": MAIN, "clouds": {"all": 75}},
    }
    assert web.asked[0].query == {
        "appid": "k", "lat": "52.5", "lon": "0.0", "start": str(DAY), "end": str(DAY + 86_399), "cnt": "24",
    }  # fmt: skip


def test_only_what_the_schema_knows_is_kept_and_nulls_are_left_out(web, build):
    full = {
        "main": {**MAIN, "sea_level": 1016, "feels_like": 280, "grnd_level": None},
        "wind": {"speed": 4.1, "deg": 80, "gust": 5, "extra": 1},
        "rain": {"1h": 0.1},
        "snow": {"3h": 2, "2h": 1},
        "weather": [{"id": 500, "main": "Rain", "description": "light rain", "icon": "10d", "x": 1}],
        "visibility": 1,
    }
    web.answers[PATH] = (200, {"list": [record(1, **full)]})
    (entity,) = build(web).enrich(event(), source_with())
    assert entity.data == {
        "dt": "2023-10-15T01:00:00.000Z",
        "main": {**MAIN, "sea_level": 1016},
        "wind": {"speed": 4.1, "deg": 80, "gust": 5},
        "clouds": {"all": 75},
        "rain": {"1h": 0.1},
        "snow": {"3h": 2},
        "weather": [{"main": "Rain", "description": "light rain", "id": 500, "icon": "10d"}],
    }


def test_a_day_and_a_place_are_asked_for_once(web, build):
    enrichment = build(web)
    for one in (event(), event(52.3, -0.2), event(at=AT + 3_600_000)):
        enrichment.enrich(one, source_with())
    assert len(web.asked) == 1
    enrichment.enrich(event(at=AT + 86_400_000), source_with())
    enrichment.enrich(event(53.0), source_with())
    assert len(web.asked) == 3


def test_it_runs_after_the_location_is_known():
    assert Weather.runs_at > PLACES["ip_lookups"]


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ({}, ["geo_latitude", "geo_longitude", "derived_tstamp"]),
        ({"derived_tstamp": AT}, ["geo_latitude", "geo_longitude"]),
        ({"geo_latitude": 0.0, "geo_longitude": 0.0}, ["derived_tstamp"]),
    ],
)
def test_without_place_or_time_it_fails(web, build, columns, missing):
    failures = failures_of(build(web), EnrichedEvent(**columns), source_with())
    assert [(failure.field, failure.value, failure.message) for failure in failures] == [
        (name, None, "missing") for name in missing
    ]
    assert web.asked == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((401, {"cod": 401}), "Check your API key"),
        ((429, b""), "Request failed with status 429"),
        ((200, b"x"), "invalid json: "),
        ((200, {"list": []}), "OpenWeather has no records of 2023-10-15 at this place"),
        ((200, {"list": [{"dt": "x"}, 5]}), "OpenWeather has no records of 2023-10-15 at this place"),
        ((200, []), "OpenWeather has no records of 2023-10-15 at this place"),
    ],
)
def test_an_answer_without_weather_fails_and_is_not_asked_for_again_at_once(web, build, answer, message):
    web.answers[PATH] = answer
    enrichment = build(web)
    for _ in range(2):
        (failure,) = failures_of(enrichment, event(), source_with())
        assert failure.message.startswith(message)
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("geoPrecision", 0, "parameters.geoPrecision: expected a whole number from 1 to 10, found 0"),
        ("cacheSize", 0, "parameters.cacheSize: expected a whole number from 1 to 1000000, found 0"),
        ("timeout", "5", "parameters.timeout: expected a whole number from 1 up, found '5'"),
        ("apiHost", "", "parameters.apiHost: expected a string, found ''"),
    ],
)
def test_wrong_parameters_are_named(web, build, name, value, text):
    with pytest.raises(ValueError, match=text):
        build(web, **{name: value})
