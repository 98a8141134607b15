"""The shop: its goods and pages, and where people come to it from."""

from __future__ import annotations

from typing import NamedTuple

from snowgauge.actions.demo.chance import Shares

SITE = "https://shop.example.com"
CURRENCY = "EUR"


class Good(NamedTuple):
    id: str
    name: str
    price: float
    category: str
    path: str


class Page(NamedTuple):
    """``kind`` is the type of the e-commerce page entity."""

    path: str
    title: str
    kind: str


GOODS = [
    Good("SG-1", "Snow gauge", 49.0, "instruments", "/goods/snow-gauge"),
    Good("SH-2", "Shovel", 24.5, "tools", "/goods/shovel"),
    Good("WH-3", "Wool hat", 19.9, "clothing", "/goods/wool-hat"),
    Good("MT-4", "Mittens", 29.9, "clothing", "/goods/mittens"),
    Good("SL-5", "Wooden sledge", 89.0, "tools", "/goods/wooden-sledge"),
    Good("TH-6", "Window thermometer", 14.5, "instruments", "/goods/window-thermometer"),
    Good("BT-7", "Snow boots", 119.0, "clothing", "/goods/snow-boots"),
    Good("IC-8", "Ice scraper", 6.9, "tools", "/goods/ice-scraper"),
    Good("WS-9", "Weather station", 179.0, "instruments", "/goods/weather-station"),
    Good("SC-10", "Scarf", 34.0, "clothing", "/goods/scarf"),
]
GOOD_CHOICE = Shares(list(zip((22, 14, 16, 11, 8, 7, 9, 5, 4, 4), GOODS, strict=True)))

HOME = Page("/", "Snow Shop", "home")
CART = Page("/cart", "Your cart · Snow Shop", "cart")
CHECKOUT = Page("/checkout", "Checkout · Snow Shop", "checkout")
THANKS = Page("/checkout/thanks", "Thank you · Snow Shop", "transaction")
CONTACT = Page("/contact", "Contact · Snow Shop", "contact")
SEARCH = Page("/search", "Search · Snow Shop", "search")
CATEGORIES = [
    Page(f"/{name}", f"{name.title()} · Snow Shop", "category") for name in ("instruments", "tools", "clothing")
]
ARTICLES = [
    Page("/journal/how-to-measure-snow", "How to measure snow · Journal", "article"),
    Page("/journal/wool-or-fleece", "Wool or fleece? · Journal", "article"),
    Page("/journal/the-winter-of-1963", "The winter of 1963 · Journal", "article"),
]
TERMS = Shares(
    [(9, "mittens"), (7, "snow gauge"), (6, "boots 42"), (5, "shovel"), (3, "sledge"), (2, "skis"), (1, "gift card")]
)


def page_of(good: Good) -> Page:
    return Page(good.path, f"{good.name} · Snow Shop", "product")


class Source(NamedTuple):
    """Where a visit comes from. ``query`` is what the link adds to the landing page's address."""

    referrer: str
    query: str = ""
    landing: str = "any"


_SEARCHES = [(70, "https://www.google.com/"), (12, "https://www.bing.com/"), (11, "https://duckduckgo.com/"),
             (4, "https://www.ecosia.org/"), (3, "https://search.yahoo.com/")]  # fmt: skip
_SOCIAL = [(30, "https://www.instagram.com/"), (25, "https://www.facebook.com/"), (16, "https://www.reddit.com/"),
           (12, "https://t.co/"), (10, "https://www.linkedin.com/"), (7, "https://www.youtube.com/")]  # fmt: skip
_ASSISTANTS = [(62, "https://chatgpt.com/"), (15, "https://www.perplexity.ai/"), (9, "https://gemini.google.com/"),
               (8, "https://claude.ai/"), (6, "https://copilot.microsoft.com/")]  # fmt: skip
_SITES = [(5, "https://weather-notes.example.org/links"), (3, "https://alpine-club.example.net/gear"),
          (2, "https://forum.example.org/t/snow-depth")]  # fmt: skip


def _campaign(source: str, medium: str, name: str, more: str = "") -> str:
    return f"utm_source={source}&utm_medium={medium}&utm_campaign={name}{more}"


def _shared(share: float, sites: list[tuple[int, str]], landing: str = "any") -> list[tuple[float, Source]]:
    every = sum(part for part, _ in sites)
    return [(share * part / every, Source(address, "", landing)) for part, address in sites]


SOURCES = Shares(
    [
        (27, Source("", landing="home")),
        *_shared(30, _SEARCHES),
        *_shared(9, _SOCIAL),
        *_shared(8, _ASSISTANTS, "article"),
        *_shared(5, _SITES),
        (6, Source("", _campaign("newsletter", "email", "first_snow", "&utm_content=header"), "home")),
        (3, Source("", _campaign("newsletter", "email", "winter_sale"), "category")),
        (
            5,
            Source("https://www.google.com/", _campaign("google", "cpc", "brand", "&utm_term=snow+shop&gclid=Cj0demo")),
        ),
        (
            3,
            Source(
                "https://www.google.com/", _campaign("google", "cpc", "boots", "&utm_term=snow+boots&gclid=Cj1demo")
            ),
        ),
        (2, Source("https://www.instagram.com/", _campaign("instagram", "paid_social", "winter_sale"), "category")),
        (2, Source("https://www.facebook.com/", _campaign("facebook", "paid_social", "winter_sale", "&fbclid=IwDemo"))),
    ]
)
