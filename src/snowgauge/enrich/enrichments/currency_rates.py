"""Exchange rates of whole days from Open Exchange Rates, remembered."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal
from urllib.parse import quote_plus

from snowgauge.enrich.enrichments.base import HttpFetch
from snowgauge.enrich.enrichments.caching_evaluator import CachingEvaluator

ENDPOINT = "https://openexchangerates.org/api"
"""enrich 6.10 asks the same over plain HTTP, which shows the key to the network."""

ErrorType = Literal["OtherErrors", "IllegalCurrency", "ResourcesNotAvailable"]
_DAYS = 1000
_FOREVER = 10**9
_RETRY_AFTER = 60
_FIRST_DAY = date(1999, 1, 1)
_SIX_DECIMALS = Decimal("0.000001")


class RateError(Exception):
    """Open Exchange Rates cannot say the rate."""

    def __init__(self, kind: ErrorType, message: str) -> None:
        super().__init__(f"Open Exchange Rates error, type: [{kind}], message: [{message}]")


class Rates:
    """Rates by day. ``account`` decides what the answers are relative to: US dollars for ``DEVELOPER``, else ``base``.

    One request per day that events have is made, whatever the number of currencies; a failure is remembered for a
    minute.
    """

    def __init__(self, http: HttpFetch, key: str, account: str, base: str, endpoint: str = ENDPOINT) -> None:
        self._http = http
        self._key = key
        self._own_base = account != "DEVELOPER"
        self._base = base if self._own_base else "USD"
        self._endpoint = endpoint
        self._days: CachingEvaluator[dict[str, Decimal]] = CachingEvaluator(
            _DAYS, _FOREVER, (OSError, RateError), error_ttl=_RETRY_AFTER
        )

    def rate(self, from_currency: str, to_currency: str, at: int, now: int) -> Decimal:
        """What one unit was worth on the UTC day of the instant ``at``. Raises ``RateError`` or ``OSError``."""
        day = datetime.fromtimestamp(at / 1000, UTC).date()
        if not _FIRST_DAY <= day <= datetime.fromtimestamp(now / 1000, UTC).date():
            raise RateError("ResourcesNotAvailable", f"Exchange rate unavailable on the date [{day}T00:00Z]")
        rates = self._days.get(day, lambda: self._ask(day))
        to_rate = self._known(rates, to_currency)
        if from_currency == self._base:
            return to_rate
        inverse = (1 / self._known(rates, from_currency)).quantize(_SIX_DECIMALS, ROUND_HALF_EVEN)
        return inverse * to_rate

    def _known(self, rates: dict[str, Decimal], currency: str) -> Decimal:
        if currency == self._base:
            return Decimal(1)
        if currency not in rates:
            raise RateError("IllegalCurrency", f"Currency not found in the API, invalid currency {currency}")
        return rates[currency]

    def _ask(self, day: date) -> dict[str, Decimal]:
        url = f"{self._endpoint}/historical/{day}.json?app_id={quote_plus(self._key)}"
        if self._own_base:
            url += f"&base={self._base}"
        _, content = self._http("GET", url)
        try:
            answer: Any = json.loads(content, parse_float=Decimal, parse_int=Decimal)
        except (ValueError, RecursionError) as error:
            raise RateError("OtherErrors", f"OER response is not JSON: {error}") from None
        if isinstance(answer, dict) and isinstance(answer.get("message"), str):
            raise RateError("OtherErrors", answer["message"])
        rates = answer.get("rates") if isinstance(answer, dict) else None
        if not isinstance(rates, dict):
            raise RateError("OtherErrors", "OER response couldn't be decoded")
        return {code: rate for code, rate in rates.items() if isinstance(rate, Decimal) and rate > 0}
