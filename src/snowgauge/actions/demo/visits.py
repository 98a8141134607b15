"""What someone does in the shop in one visit; and, now and then, an event that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from snowgauge.actions.demo import shop
from snowgauge.actions.demo.calendar import DAY
from snowgauge.actions.demo.chance import Shares
from snowgauge.actions.demo.shop import CURRENCY, SITE, Good, Page, Source, page_of
from snowgauge.actions.demo.tracker import ECOMMERCE, SNOWPLOW, Entity, Tab, entity, query

ACTION = ECOMMERCE + "snowplow_ecommerce_action/jsonschema/1-0-2"
LINK_CLICK = SNOWPLOW + "link_click/jsonschema/1-0-1"
UNKNOWN = "iglu:com.example.shop/wishlist_item/jsonschema/1-0-0"
_FAULTY_VISITS = 0.13
"""Makes about one event of a hundred fail."""


class Visit:
    """One visit. ``ago`` says how long before the end of the seeded time it is, in ms."""

    def __init__(self, tab: Tab, source: Source, chance: Random, ago: int) -> None:
        self._tab = tab
        self._source = source
        self._chance = chance
        self._ago = ago
        self._cart: list[Good] = []

    def run(self) -> None:
        """Everything that happens, from landing to leaving."""
        if self._tab.visitor.bot:
            self._crawl()
            return
        self._land()
        while self._chance.random() < 0.68:
            self._chance.choices(
                (self._look_at_good, self._look_at_category, self._read, self._search, self._contact),
                (52, 18, 11, 12, 7),
            )[0]()
        if self._cart and self._chance.random() < 0.62:
            self._buy()
        if self._chance.random() < _FAULTY_VISITS:
            self._go_wrong()

    # ---- steps ------------------------------------------------------------------------------------------------

    def _crawl(self) -> None:
        pages = [shop.HOME, *shop.CATEGORIES, *shop.ARTICLES, *map(page_of, shop.GOODS)]
        for page in self._chance.sample(pages, self._chance.randint(1, 4)):
            self._tab.page_view(page, referrer="")
            self._tab.wait(2, 9)

    def _land(self) -> None:
        landing = {"home": [shop.HOME], "category": shop.CATEGORIES, "article": [*shop.ARTICLES, shop.HOME]}
        anywhere = [shop.HOME, shop.HOME, *shop.CATEGORIES, *shop.ARTICLES, *map(page_of, shop.GOODS[:6])]
        page = self._chance.choice(landing.get(self._source.landing, anywhere))
        self._tab.page_view(page, query=self._source.query, referrer=self._source.referrer)
        if self._chance.random() < 0.3:  # the banner is answered once
            self._tab.wait(1, 6)
            self._tab.struct("consent", self._chance.choice(("allow all", "allow all", "only needed")))
        self._stay(page)

    def _stay(self, page: Page) -> None:
        """Read the page for a while: a ping every ten seconds."""
        most = 5 if page.kind == "article" else 3
        for number in range(self._chance.randint(0, most)):
            self._tab.wait(9.9, 10.3)
            self._tab.page_ping(min(1.0, (number + 1) / most * self._chance.uniform(0.5, 1.1)))
        self._tab.wait(1, 9)
        if self._chance.random() < 0.6:  # browsers other than Chromium tell nothing
            self._tab.event(SNOWPLOW + "web_vitals/jsonschema/1-0-0", self._vitals(page))

    def _vitals(self, page: Page) -> dict[str, Any]:
        """How quick the page was: articles with their pictures are the slow ones."""
        slow = 1.5 if page.kind == "article" else 1.0
        first = self._chance.lognormvariate(6.6, 0.4) * slow
        return {
            "ttfb": round(first * 0.4, 1),
            "fcp": round(first, 1),
            "lcp": round(first * self._chance.uniform(1.3, 2.6), 1),
            "inp": round(self._chance.lognormvariate(4.6, 0.6), 1),
            "cls": round(self._chance.lognormvariate(-3.4, 1.0), 4),
            "navigationType": self._chance.choices(("navigate", "back-forward", "reload"), (8, 2, 1))[0],
        }

    def _go(self, page: Page, text: str, **parameters: str) -> None:
        """Follow a link to a page of the shop."""
        if self._chance.random() < 0.55:
            self._tab.event(LINK_CLICK, {"targetUrl": SITE + page.path, "elementId": "nav", "elementContent": text})
        self._tab.page_view(page, query=query(**parameters))

    def _look_at_good(self) -> None:
        good = shop.GOOD_CHOICE.pick(self._chance)
        self._go(page_of(good), good.name)
        self._act("product_view", [_product(good)])
        self._stay(page_of(good))
        if self._chance.random() < 0.27:
            self._cart.append(good)
            self._act("add_to_cart", [_product(good, 1), self._cart_entity()])
            self._tab.struct("shop", "add to cart", good.name, good.price)
        elif self._cart and self._chance.random() < 0.1:
            gone = self._cart.pop()
            self._act("remove_from_cart", [_product(gone, 1), self._cart_entity()])

    def _look_at_category(self) -> None:
        page = self._chance.choice(shop.CATEGORIES)
        self._go(page, page.title.partition(" ")[0])
        goods = [good for good in shop.GOODS if page.path == f"/{good.category}"]
        self._act("list_view", [_product(good) for good in goods], name=page.path[1:])
        self._stay(page)

    def _read(self) -> None:
        page = self._chance.choice(shop.ARTICLES)
        self._go(page, page.title.partition(" · ")[0])
        self._stay(page)
        if self._chance.random() < 0.2:
            target = "https://weather-notes.example.org/"
            self._tab.event(LINK_CLICK, {"targetUrl": target, "elementContent": "Weather notes"})

    def _search(self) -> None:
        terms = shop.TERMS.pick(self._chance)
        found = self._chance.randint(0, 6)
        self._tab.page_view(shop.SEARCH, query=query(q=terms))
        schema = SNOWPLOW + "site_search/jsonschema/1-0-0"
        self._tab.event(schema, {"terms": terms.split(), "totalResults": found, "pageResults": found})
        self._stay(shop.SEARCH)

    def _contact(self) -> None:
        self._go(shop.CONTACT, "Contact")
        self._fill_in("contact", ("name", "message"), done=0.6)

    def _fill_in(self, form: str, fields: tuple[str, ...], *, done: float) -> None:
        for name in fields:
            node = "TEXTAREA" if name == "message" else "INPUT"
            # what people write is not sent: the tracker is told to leave values out
            about: dict[str, Any] = {
                "formId": form,
                "elementId": name,
                "nodeName": node,
                "elementClasses": [],
                "value": None,
            }
            self._tab.event(SNOWPLOW + "focus_form/jsonschema/1-0-0", about | _kind(node, "elementType"))
            self._tab.wait(2, 12)
            self._tab.event(SNOWPLOW + "change_form/jsonschema/1-0-0", about | _kind(node, "type"))
        if self._chance.random() < done:
            self._tab.event(SNOWPLOW + "submit_form/jsonschema/1-0-0", {"formId": form, "formClasses": []})

    def _buy(self) -> None:
        goods = [_product(good, 1) for good in self._cart]
        self._go(shop.CART, "Cart")
        self._tab.wait(3, 20)
        self._go(shop.CHECKOUT, "To the checkout")
        for step in (1, 2, 3):
            data = {"step": step, "delivery_method": "post"} if step > 1 else {"step": step}
            self._act("checkout_step", [entity(ECOMMERCE + "checkout_step/jsonschema/1-0-0", data)])
            if step == 1:
                self._fill_in("address", ("street", "city"), done=1.0)
            self._tab.wait(4, 30)
            if self._chance.random() < 0.12:
                return
        self._tab.page_view(shop.THANKS)
        self._act("transaction", [entity(ECOMMERCE + "transaction/jsonschema/1-0-0", self._order()), *goods])
        self._tab.struct("shop", "order", value=self._value())

    def _act(self, kind: str, entities: list[Entity], *, name: str | None = None) -> None:
        self._tab.event(ACTION, {"type": kind} | ({"name": name} if name else {}), entities)

    def _cart_entity(self) -> Entity:
        data = {"cart_id": "cart", "total_value": self._value(), "currency": CURRENCY}
        return entity(ECOMMERCE + "cart/jsonschema/1-0-0", data)

    def _order(self) -> dict[str, Any]:
        payment = self._chance.choices(("card", "paypal", "invoice"), (5, 4, 1))[0]
        return {
            "transaction_id": f"T-{self._chance.randrange(10**6, 10**7)}", "revenue": self._value(),
            "currency": CURRENCY, "payment_method": payment, "total_quantity": len(self._cart), "shipping": 4.9,
        }  # fmt: skip

    def _value(self) -> float:
        return round(sum(good.price for good in self._cart), 2)

    # ---- faults -----------------------------------------------------------------------------------------------

    def _go_wrong(self) -> None:
        """One event that cannot pass: each of these is a mistake that is made in real life."""
        faults: list[tuple[float, Callable[[], None]]] = [
            (34, self._unknown_schema), (20, self._wrong_action), (16, self._missing_field), (12, self._no_number),
        ]  # fmt: skip
        if self._ago < 9 * DAY:  # came with a release of the shop
            faults.append((40, self._wrong_type))
        Shares(faults).pick(self._chance)()

    def _unknown_schema(self) -> None:
        self._tab.event(UNKNOWN, {"sku": shop.GOOD_CHOICE.pick(self._chance).id, "list": "winter"})

    def _wrong_action(self) -> None:
        self._act("wishlist_add", [_product(shop.GOOD_CHOICE.pick(self._chance))])

    def _missing_field(self) -> None:
        order = self._order()
        del order["payment_method"]
        self._act("transaction", [entity(ECOMMERCE + "transaction/jsonschema/1-0-0", order)])

    def _no_number(self) -> None:
        self._tab.struct("shop", "rate", "Snow gauge", "five stars")

    def _wrong_type(self) -> None:
        product = _product(shop.GOOD_CHOICE.pick(self._chance))
        product["data"]["price"] = f"{product['data']['price']:.2f} €"
        self._act("product_view", [product])


def _kind(node: str, name: str) -> dict[str, str]:
    return {name: "text"} if node == "INPUT" else {}


def _product(good: Good, quantity: int | None = None) -> Entity:
    data = {"id": good.id, "name": good.name, "price": good.price, "currency": CURRENCY, "category": good.category}
    return entity(ECOMMERCE + "product/jsonschema/1-0-0", data | ({"quantity": quantity} if quantity else {}))
