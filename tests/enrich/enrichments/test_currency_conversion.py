"""Currency conversion against a real HTTP server that answers like Open Exchange Rates."""

# ruff: noqa: E501 (messages read better in one line)
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from snowgauge.enrich.enrichments.currency_conversion import CurrencyConversion
from snowgauge.enrich.enrichments.currency_rates import Rates
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.timestamps import parse_ms
from snowgauge.outgoing import HttpClient
from snowgauge.testing.enriching import failures_of, means_with, source_with
from snowgauge.testing.web import serving

AT = parse_ms("2023-10-15T23:59:59.999Z")
DAY = "/historical/2023-10-15.json"
RATES = {"EUR": 0.95, "GBP": 0.823456, "JPY": 149.5, "USD": 1, "NONSENSE": 5}


@pytest.fixture
def web():
    with serving() as server:
        server.answers[DAY] = (200, {"base": "USD", "rates": RATES})
        yield server


@pytest.fixture
def build(web):
    http = HttpClient(timeout=60, retries=0, allow_private_hosts=True)

    def build(base="EUR", account="DEVELOPER", endpoint=web.url):
        return CurrencyConversion(base, Rates(http, "a key", account, base, endpoint))

    yield build
    http.close()


def order(**columns):
    columns.setdefault("collector_tstamp", AT)
    return EnrichedEvent(**columns)


def test_amounts_are_converted_at_the_rate_of_the_day(web, build):
    event = order(tr_total="10", tr_tax="2.50", tr_shipping="1", tr_currency="GBP", ti_price="100", ti_currency="USD")
    build().enrich(event, source_with())

    rate = (1 / Decimal("0.823456")).quantize(Decimal("0.000001"), ROUND_HALF_EVEN) * Decimal("0.95")
    assert event.base_currency == "EUR"
    assert event.tr_total_base == str((10 * rate).quantize(Decimal("0.01"), ROUND_HALF_EVEN)) == "11.54"
    assert (event.tr_tax_base, event.tr_shipping_base, event.ti_price_base) == ("2.88", "1.15", "95.00")
    assert [(asked.path, asked.query) for asked in web.asked] == [(DAY, {"app_id": "a key"})]


@pytest.mark.parametrize("account", ["ENTERPRISE", "UNLIMITED"])
def test_paid_accounts_get_rates_relative_to_their_own_currency(web, build, account):
    web.answers[DAY] = (200, {"base": "GBP", "rates": {"EUR": 1.15, "GBP": 1}})
    event = order(tr_total="11.50", tr_currency="EUR")
    build("GBP", account).enrich(event, source_with())
    assert event.tr_total_base == "10.00"
    assert web.asked[0].query == {"app_id": "a key", "base": "GBP"}


def test_the_result_has_the_decimals_of_the_base_currency(build):
    event = order(tr_total="1.005", tr_currency="USD")
    build("JPY").enrich(event, source_with())
    assert event.tr_total_base == "150"


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.125", "0.12"), ("0.375", "0.38"), ("2.675", "2.67"), ("1E+3", "1000.00"), ("-1", "-1.00")],
)
def test_the_same_currency_is_rounded_half_even_without_asking(web, build, amount, rounded):
    event = order(tr_total=amount, tr_currency="EUR")
    build().enrich(event, source_with())
    assert (event.tr_total_base, web.asked) == (rounded, [])


@pytest.mark.parametrize(
    "columns", [{"tr_total": "5"}, {"tr_currency": "USD"}, {"ti_price": "5", "tr_currency": "USD"}, {}]
)
def test_an_amount_without_currency_or_the_reverse_is_left_alone(web, build, columns):
    event = order(**columns)
    build().enrich(event, source_with())
    assert event == order(**columns, base_currency="EUR")
    assert web.asked == []


def test_a_day_is_asked_for_once(web, build):
    enrichment = build()
    web.answers["/historical/2023-10-14.json"] = (200, {"rates": RATES})
    for columns in (
        {"tr_currency": "USD"},
        {"tr_currency": "GBP"},
        {"tr_currency": "USD", "collector_tstamp": AT - 86_400_000},
    ):
        for _ in range(2):
            enrichment.enrich(order(tr_total="1", **columns), source_with())
    assert [asked.path for asked in web.asked] == [DAY, "/historical/2023-10-14.json"]


def test_an_unknown_currency_fails_once_per_amount(web, build):
    event = order(tr_total="1", tr_tax="1", tr_shipping="1", tr_currency="XYZ", ti_price="1", ti_currency="usd")
    failures = failures_of(build(), event, source_with())
    assert [(failure.field, failure.value, failure.message) for failure in failures] == [
        ("tr_currency", "XYZ", "Unknown currency 'XYZ'"),
        ("tr_currency", "XYZ", "Unknown currency 'XYZ'"),
        ("tr_currency", "XYZ", "Unknown currency 'XYZ'"),
        ("ti_currency", "usd", "Unknown currency 'usd'"),
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ((200, {"rates": {}}), "IllegalCurrency", "Currency not found in the API, invalid currency EUR"),
        ((401, {"error": True, "message": "invalid_app_id"}), "OtherErrors", "invalid_app_id"),
        ((200, {"rates": 5}), "OtherErrors", "OER response couldn't be decoded"),
        ((200, b"<html>"), "OtherErrors", "OER response is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ((200, {"rates": {"EUR": 0, "GBP": "x"}}), "IllegalCurrency", "Currency not found in the API, invalid currency EUR"),
    ],
)  # fmt: skip
def test_an_answer_without_rates_fails_and_is_not_asked_for_again_at_once(web, build, answer, kind, message):
    web.answers[DAY] = answer
    enrichment = build()
    for _ in range(2):
        (failure,) = failures_of(enrichment, order(tr_total="1", tr_currency="GBP"), source_with())
        assert failure.message == f"Open Exchange Rates error, type: [{kind}], message: [{message}]"
    assert len(web.asked) == 1


@pytest.mark.parametrize("day", ["1998-12-31", "2023-11-15"])
def test_days_that_have_no_rates(web, build, day):
    event = order(tr_total="1", tr_currency="GBP", collector_tstamp=parse_ms(f"{day}T10:00:00Z"))
    (failure,) = failures_of(build(), event, source_with(etl_tstamp=parse_ms("2023-11-14T22:00:00Z")))
    assert failure.message == (
        "Open Exchange Rates error, type: [ResourcesNotAvailable], "
        f"message: [Exchange rate unavailable on the date [{day}T00:00Z]]"
    )
    assert web.asked == []


def test_a_service_that_is_away(build):
    with serving() as web:
        away = web.url
    (failure,) = failures_of(build(endpoint=away), order(tr_total="1", tr_currency="GBP"), source_with())
    assert failure.message.startswith("an error happened while converting the currency: GET ")
    assert len(failure.message) <= 511
    assert "a key" not in failure.message


@pytest.mark.parametrize("amount", ["1e300", "-1e300", "1e-300"])
def test_amounts_of_any_size(build, amount):
    event = order(tr_total=amount, tr_currency="GBP")
    failures = failures_of(build(), event, source_with())
    assert bool(failures) != (event.tr_total_base == "0.00")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (
            "accountType",
            "FREE",
            "parameters.accountType: expected one of DEVELOPER, ENTERPRISE, UNLIMITED, found 'FREE'",
        ),
        ("baseCurrency", "Euro", "parameters.baseCurrency: expected the code of a currency, such as EUR, found 'Euro'"),
        ("rateAt", "NOW", "parameters.rateAt: expected one of EOD_PRIOR, found 'NOW'"),
        ("apiKey", None, "parameters.apiKey: expected a string, found None"),
    ],
)
def test_wrong_parameters_are_named(name, value, text):
    parameters = {**CurrencyConversion.sample["data"]["parameters"], name: value}
    with pytest.raises(ValueError, match=text):
        CurrencyConversion.create(parameters, means_with())
