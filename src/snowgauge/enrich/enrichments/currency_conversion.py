"""Currency conversion: amounts of transactions in the currency that the owner of the data thinks in."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, ClassVar

from snowgauge.enrich.enrichments.base import PLACES, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.currency_codes import DECIMALS
from snowgauge.enrich.enrichments.currency_rates import RateError, Rates
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing

_LONGEST = 511
_AMOUNTS = (
    ("tr_total", "tr_currency", "tr_total_base"),
    ("tr_tax", "tr_currency", "tr_tax_base"),
    ("tr_shipping", "tr_currency", "tr_shipping_base"),
    ("ti_price", "ti_currency", "ti_price_base"),
)


class CurrencyConversion(Enrichment):
    """Converts the amounts of transactions and their items to one currency, at the rate of the day.

    Rates come from Open Exchange Rates for the UTC day of collector_tstamp; a day is asked for once. The result is
    the amount times the rate, rounded half-even to the decimals of the base currency. The rate of a currency that the
    answer is not relative to is ``round(1 / r(from), 6 decimals) * r(to)``.

    Sets base_currency on every event, and tr_total_base, tr_tax_base, tr_shipping_base, ti_price_base where amount
    and currency are there. Fails once per amount: ``Unknown currency 'XYZ'`` (field tr_currency or ti_currency),
    ``Open Exchange Rates error, type: [...], message: [...]``, or ``an error happened while converting the currency:
    ...`` when the service cannot be reached.

    Source: enrich 6.10. Different here: HTTPS; an amount in the base currency is rounded without asking for rates;
    a pair gives the same digits on the first and later events of a day.
    """

    config = "iglu:com.snowplowanalytics.snowplow/currency_conversion_config/jsonschema/1-0-*"
    identifier = "currency-conversion"
    runs_at = PLACES["currency_conversion_config"]
    fields = ("base_currency", *(column for _, _, column in _AMOUNTS))
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/currency_conversion_config/jsonschema/1-0-0",
        "data": {
            "name": "currency_conversion_config",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {
                "accountType": "DEVELOPER",
                "apiKey": "${?OPEN_EXCHANGE_RATES_KEY}",
                "baseCurrency": "EUR",
                "rateAt": "EOD_PRIOR",
            },
        },
    }

    def __init__(self, base: str, rates: Rates) -> None:
        self._base = base
        self._unit = Decimal(1).scaleb(-DECIMALS[base])
        self._rates = rates

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> CurrencyConversion:
        read = Parameters(parameters)
        account = read.choice("accountType", ("DEVELOPER", "ENTERPRISE", "UNLIMITED"))
        read.choice("rateAt", ("EOD_PRIOR",))
        base = read.text("baseCurrency")
        if base not in DECIMALS:
            raise read.wrong("baseCurrency", "the code of a currency, such as EUR")
        return cls(base, Rates(means.http, read.text("apiKey", empty=True), account, base))

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        event.base_currency = self._base
        failures = []
        for amount_column, currency_column, column in _AMOUNTS:
            amount, currency = getattr(event, amount_column), getattr(event, currency_column)
            if amount is None or currency is None:
                continue
            try:
                setattr(event, column, self._converted(amount, currency, currency_column, event, source))
            except EnrichmentFailure as failure:
                failures.append(failure)
        if failures:
            raise ExceptionGroup("currency conversion", failures)
        return ()

    def _converted(
        self, amount: str, currency: str, currency_column: str, event: EnrichedEvent, source: EnrichmentSource
    ) -> str | None:
        if currency not in DECIMALS:
            raise EnrichmentFailure(f"Unknown currency '{currency}'", field=currency_column, value=currency)
        if event.collector_tstamp is None:
            return None
        # the amount goes through a double in enrich, whose exact value is then multiplied
        exact = Decimal(float(amount))
        try:
            if currency != self._base:
                exact *= self._rates.rate(currency, self._base, event.collector_tstamp, source.etl_tstamp)
            return format(exact.quantize(self._unit, ROUND_HALF_EVEN), "f")
        except RateError as error:
            raise EnrichmentFailure(str(error)) from None
        except InvalidOperation:
            raise EnrichmentFailure(f"an error happened while converting the currency: {amount} is too large") from None
        except OSError as error:
            text = f"an error happened while converting the currency: {error}"
            raise EnrichmentFailure(text[:_LONGEST]) from None
