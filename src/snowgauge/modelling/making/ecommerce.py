"""Rows of ``ecommerce_actions``: of Snowplow's ecommerce plug-in, and of the older transaction events."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from snowgauge.modelling.entities import ECOMMERCE, Data, first, text_of
from snowgauge.modelling.events import Event
from snowgauge.modelling.making.unit import Made, Row

_PLACES = {"money": Decimal("0.01"), "price": Decimal("0.0001"), "quantity": Decimal("0.001")}
_MOST = Decimal(10) ** 13
"""Larger amounts are nonsense, and do not fit into Decimal(18, 4)."""


def amount(value: Any, places: str = "money") -> Decimal | None:
    """A number of a tracker as an amount; none where it is no number or beyond all sense."""
    if value is None or isinstance(value, bool | list | dict) or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= _MOST:
        return None
    return number.quantize(_PLACES[places])


def ecommerce_actions(made: Made) -> list[Row]:
    """Which of several actions is the first of its transaction is decided over all units, later."""
    rows = []
    for event in made.events:
        if event.name == "snowplow_ecommerce_action":
            rows += _of_action(event)
        elif event.name == "transaction":
            rows.append(_of_transaction(event))
        elif event.name == "transaction_item":
            rows.append(_of_item(event))
    for row in rows:
        row["unit"] = made.unit
        row["is_bot"] = made.is_bot
    return rows


def _of_action(event: Event) -> list[Row]:
    found = event.entities
    action = event.data
    cart, transaction = first(found, f"{ECOMMERCE}cart"), first(found, f"{ECOMMERCE}transaction")
    refund, step = first(found, f"{ECOMMERCE}refund"), first(found, f"{ECOMMERCE}checkout_step")
    refunded = amount(refund.get("refund_amount"))
    common = _frame(event) | {
        "action": text_of(action, "type"),
        "action_name": text_of(action, "name"),
        "cart_id": text_of(cart, "cart_id"),
        "cart_total": amount(cart.get("total_value")),
        "revenue": amount(transaction.get("revenue")) if refunded is None else -refunded,
        "tax": amount(transaction.get("tax")),
        "shipping": amount(transaction.get("shipping")),
        "discount": amount(transaction.get("discount_amount")),
        "total_quantity": amount(transaction.get("total_quantity"), "quantity"),
        "payment_method": text_of(transaction, "payment_method") or text_of(step, "payment_method"),
        "transaction_id": text_of(transaction, "transaction_id") or text_of(refund, "transaction_id"),
        "checkout_step": _small(step.get("step")),
        "currency": text_of(transaction, "currency") or text_of(refund, "currency") or text_of(cart, "currency"),
    }
    products = found.get(f"{ECOMMERCE}product", [])
    if not products:
        return [common | {"product_index": 0}]
    return [common | _product(product) | {"product_index": at} for at, product in enumerate(products[:65_535], 1)]


def _product(product: Data) -> Row:
    row: Row = {
        "product_id": text_of(product, "id"),
        "name": text_of(product, "name"),
        "brand": text_of(product, "brand"),
        "variant": text_of(product, "variant"),
        "price": amount(product.get("price"), "price"),
        "list_price": amount(product.get("list_price"), "price"),
        "quantity": amount(product.get("quantity"), "quantity"),
        "position": _integer(product.get("position")),
        **_categories(text_of(product, "category")),
    }
    if currency := text_of(product, "currency"):
        row["currency"] = currency
    return row


def _of_transaction(event: Event) -> Row:
    return _frame(event) | {
        "action": "transaction",
        "product_index": 0,
        "revenue": amount(event.get("tr_total")),
        "tax": amount(event.get("tr_tax")),
        "shipping": amount(event.get("tr_shipping")),
        "transaction_id": event.get("tr_orderid"),
        "currency": event.get("tr_currency"),
    }


def _of_item(event: Event) -> Row:
    return _frame(event) | {
        "action": "transaction_item",
        "product_index": 1,
        "product_id": event.get("ti_sku"),
        "name": event.get("ti_name"),
        "price": amount(event.get("ti_price"), "price"),
        "quantity": amount(event.get("ti_quantity"), "quantity"),
        "transaction_id": event.get("ti_orderid"),
        "currency": event.get("ti_currency"),
        **_categories(event.get("ti_category")),
    }


def _frame(event: Event) -> Row:
    return {
        "event_id": event.id,
        "app_id": event.app_id,
        "t": event.t,
        "view_id": event.view_id,
        "session_id": event.session_id,
        "person_id": event.user_id or event.visitor_id,
        "is_first_of_transaction": False,
    }


def _categories(text: str) -> Row:
    parts = [part.strip() for part in text.split("/")] if text else []
    return {f"category_{n}": parts[n - 1] if n <= len(parts) else "" for n in range(1, 5)}


def _small(value: Any) -> int | None:
    number = _integer(value)
    return number if number is not None and 0 <= number <= 65_535 else None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**31:
        return None
    return int(value)
