"""Selections of events, and which of a few events each of them finds, on any store."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

from snowgauge.store.base import Filter, Selection
from snowgauge.testing.events import NOON


def where(column: str, op: Any = "in", *values: Any) -> Selection:
    """With one filter."""
    return Selection(filters=[Filter(column, op, values)])


FILTERS: list[tuple[Selection, list[int]]] = [
    (where("app_id", "in", "a"), [0]),
    (where("app_id", "in", "a", "b"), [0, 1]),
    (where("app_id", "not_in", "a"), [1, 2, 3]),
    (where("app_id", "none"), [2, 3]),
    (where("app_id", "some"), [0, 1]),
    (where("app_id", "in"), []),
    (Selection(any_of=[Filter("app_id", "in", ["a"]), Filter("page_title", "contains", ["ПРИВЕТ"])]), [0, 1]),
    (Selection(None, None, [Filter("app_id", "none")], [Filter("txn_id", "in", [5, 7])]), [2]),
    (where("app_id", "not_in"), [0, 1, 2, 3]),
    (where("page_title", "contains", "wORLD"), [0]),
    (where("page_title", "contains", "ПРИВЕТ", "nothing"), [1]),
    (where("page_title", "contains", "%"), [2]),
    (where("txn_id", "in", 5, "6"), [0, 1]),
    (where("txn_id", "not_in", 5), [1, 2, 3]),
    (where("txn_id", "gte", 6), [1, 2]),
    (where("txn_id", "gt", 6), [2]),
    (where("txn_id", "lte", 6), [0, 1]),
    (where("txn_id", "lt", 6), [0]),
    (where("txn_id", "none"), [3]),
    (where("br_cookies", "in", True), [0]),
    (where("br_cookies", "in", "false"), [1]),
    (where("br_cookies", "not_in", True), [1, 2, 3]),
    (where("tr_total", "in", "10.5"), [0]),
    (where("tr_total", "gte", 11), [1]),
    (where("se_value", "lt", 0.5), [1]),
    (where("dvce_created_tstamp", "gte", NOON + 1000), [1]),
    (where("event_id", "in", str(uuid5(NAMESPACE_OID, "snowgauge-event-2"))), [2]),
    (where("contexts", "contains", "com.acme/user"), [3]),
    (Selection(filters=[Filter("app_id", "some"), Filter("txn_id", "gte", (6,))]), [1]),
]
"""A selection, and which of the four events of ``test_filters`` it finds."""

CART = "contexts/com.acme/cart/1"
BUY = "unstruct_event/com.acme/buy/2"
NESTED: list[tuple[Selection, list[int]]] = [
    (where(f"{CART}/total", "in", "12.5"), [0]),
    (where(f"{CART}/total", "in", 3), [1]),
    (where(f"{CART}/total", "in", "1000"), [1]),
    (where(f"{CART}/total", "not_in", "12.5"), [1, 2, 3]),
    (where(f"{CART}/total", "some"), [0, 1]),
    (where(f"{CART}/total", "none"), [2, 3]),
    (where(f"{CART}/total", "gte", 12.5), [0, 1]),
    (where(f"{CART}/total", "gt", "12.5"), [1]),
    (where(f"{CART}/total", "lte", 12.5), [0, 1]),
    (where(f"{CART}/total", "lt", 3), []),
    (where(f"{CART}/tags", "gte", 1), [1]),
    (where(f"{CART}/note", "gt", -1), []),
    (where(f"{CART}/gift", "in", True), [0]),
    (where(f"{CART}/gift", "in", "false"), [1]),
    (where(f"{CART}/note", "contains", "PRIV", "ПРИВ"), [1]),
    (where(f"{CART}/note", "contains", "%"), [0]),
    (where(f"{CART}/note", "some"), [0, 1]),
    (where(f"{CART}/tags", "in", "b"), [0, 1]),
    (where(f"{CART}/tags", "in", "1"), [1]),
    (where(f"{CART}/owner/name", "in", "ada", "bob"), [0]),
    (where(f"{CART}/owner", "some"), []),
    (where(f"{CART}/a%2Fb%3Ac", "in", "odd"), [1]),
    (where(f"{CART}/no'such", "some"), []),
    (where(f"{BUY}/sku", "in", "x"), [0]),
    (where(f"{BUY}/sku", "none"), [1, 2, 3]),
    (where("unstruct_event/com.acme/buy/1/sku", "in", "old"), [2]),
    (where("contexts/org.w3/PerformanceTiming/1/domComplete", "some"), [3]),
    (where(CART, "some"), [0, 1]),
    (where(CART, "none"), [2, 3]),
    (where(CART, "in", "1-0-2"), [1]),
    (where(CART, "not_in", "1-0-1"), [1, 2, 3]),
    (where(BUY, "some"), [0]),
    (where("contexts/com.acme/cart/2", "contains", "2-"), [2]),
    (where(f"{CART}/total", "in"), []),
    (where(f"{CART}/total", "not_in"), [0, 1, 2, 3]),
    (where(f"{CART}/total", "contains"), []),
    (Selection(filters=[Filter(f"{CART}/tags", "in", ("b",)), Filter("app_id", "in", ("a",))]), [0]),
]
"""A selection inside of self-describing data, and which of the four events of ``test_nested`` it finds."""

WRONG_FILTERS = [
    where(f"{CART}/total", "gte", "three"),
    where(f"{CART}/total", "lt", "nan"),
    where(f"{CART}/total", "gt", 1, 2),
    where("contexts/com.acme/cart", "some"),
    where("contexts/com.acme/cart/x/total", "some"),
    where("contexts/com.ac'me/cart/1/total", "some"),
    where("no_such_column", "some"),
    where("app_id; DROP TABLE events", "some"),
    where("txn_id", "in", "seven"),
    where("txn_id", "contains", "7"),
    where("event_id", "in", "7"),
    where("br_cookies", "gte", True),
    where("txn_id", "gte"),
]
"""Selections that every store refuses."""
