"""Traffic as diverse as that of a busy shop, the same for the same seed: nothing repeats but what repeats in life.

There are 20,000 visitors with 2,000 user agents among them, and 50,000 page URLs; as everywhere, few of each are
frequent and most are rare. A visit begins with a referrer, and one in ten with a click id that no other visit has; its
further pages are referred by the page before. Every event, page view, tab and session has an id of its own. A request
brings the next ten page views of one visitor, each with three entities.
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from itertools import accumulate
from typing import Any

from snowgauge.events import payload_record
from snowgauge.events.payload import CollectorPayload

AGENTS, URLS, VISITORS, PAGES_OF_A_REQUEST = 2_000, 50_000, 20_000, 10
TP2 = "/com.snowplowanalytics.snowplow/tp2"
_SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
_PLATFORMS = (
    ("Windows NT 10.0; Win64; x64", "Windows", False), ("Macintosh; Intel Mac OS X 10_15_7", "macOS", False),
    ("X11; Linux x86_64", "Linux", False), ("Linux; Android {n}; SM-S{n}8B", "Android", True),
    ("Linux; Android {n}; Pixel {n}", "Android", True),
)  # fmt: skip
_BROWSERS = (
    "Mozilla/5.0 ({p}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.{b}.0 Safari/537.36",
    "Mozilla/5.0 ({p}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.{b}.0 Safari/537.36 Edg/{v}.0.{b}.7",
    "Mozilla/5.0 ({p}; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
    "Mozilla/5.0 ({p}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{v} Safari/605.1.{b}",
)
_ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "America/Sao_Paulo")
_LANGUAGES = ("de-DE", "en-GB", "en-US", "ja-JP", "en-AU", "pt-BR")
_SCREENS = ("1920x1080", "2560x1440", "1366x768", "393x873", "412x915", "1536x864", "3840x2160")
_REFERRERS = (
    "https://www.google.com/", "https://www.bing.com/search?q=garden+chair+{n}", "https://l.facebook.com/l.php?u={n}",
    "https://news.example.org/articles/{n}", "https://duckduckgo.com/",
)  # fmt: skip
_CAMPAIGNS = ("utm_source=news&utm_medium=email&utm_campaign=week-{n}", "utm_source=google&utm_medium=cpc&gclid={id}")


def _shares(count: int) -> list[float]:
    """Running totals of 1, 1/2, 1/3, ...: how often the first, second, third of anything is met."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class _Visitor:
    """What stays the same of one browser; ``visits`` and ``page`` go on."""

    def __init__(self, number: int, traffic: Traffic) -> None:
        chance = traffic.chance
        self.agent, self.platform, self.mobile = chance.choices(traffic.agents, cum_weights=traffic.agent_shares)[0]
        self.address = f"{81 + number % 17}.{number // 250 % 250}.{number * 7 % 250}.{number % 250}"
        home = chance.randrange(len(_ZONES))
        self.zone, self.language = _ZONES[home], _LANGUAGES[home]
        self.screen = chance.choice(_SCREENS)
        width, height = self.screen.split("x")
        self.viewport = f"{int(width) - chance.choice((0, 0, 15, 17))}x{int(height) - chance.randrange(80, 200)}"
        self.id, self.network_id = traffic.id(), traffic.id()
        self.user = f"customer-{number}" if chance.random() < 0.3 else None
        self.tab = self.session = self.first_event = self.began = ""
        self.visits = self.pages = 0
        self.page: str | None = None


class Traffic:
    """Events and requests one after the other, without an end."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.now = 1_790_000_000_000
        self.agents = []
        while len(self.agents) < AGENTS:
            pattern, name, mobile = self.chance.choice(_PLATFORMS)
            platform = pattern.format(n=self.chance.randrange(8, 15))
            version, build = self.chance.randrange(90, 140), self.chance.randrange(1, 60)
            self.agents.append((self.chance.choice(_BROWSERS).format(p=platform, v=version, b=build), name, mobile))
        pick, shelves, ends = (
            self.chance.choice,
            ("garden", "kitchen", "sale", "toys"),
            ("", "?ref=list", "?size=l#top"),
        )
        self.urls = [
            f"https://shop.example.com/{pick(shelves)}/product-{number}-{self.chance.getrandbits(32):x}{pick(ends)}"
            for number in range(URLS)
        ]
        self.agent_shares, self._url_shares = _shares(AGENTS), _shares(URLS)
        self._visitors = [_Visitor(number, self) for number in range(VISITORS)]

    def id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def events(self, visitor: _Visitor | None = None) -> list[dict[str, str]]:
        """The tracker parameters of one request."""
        visitor = visitor or self.chance.choice(self._visitors)
        return [self._page_view(visitor) for _ in range(PAGES_OF_A_REQUEST)]

    def record(self) -> bytes:
        """One request as the collector keeps it."""
        self.now += self.chance.randrange(1, 4)
        visitor = self.chance.choice(self._visitors)
        return payload_record.encode(
            CollectorPayload(
                ip_address=visitor.address,
                timestamp=self.now,
                collector="ssc-3.4.0-kinesis",
                user_agent=visitor.agent,
                referer_uri="https://shop.example.com/",
                path=TP2,
                body=body(self.events(visitor)),
                headers=self._headers(visitor),
                content_type="application/json",
                hostname="collector.example.com",
                network_user_id=visitor.network_id,
            )
        )

    def _headers(self, visitor: _Visitor) -> list[str]:
        return [
            "Timeout-Access: <function1>", "Host: collector.example.com", f"User-Agent: {visitor.agent}", "Accept: */*",
            f"Accept-Language: {visitor.language},{visitor.language[:2]};q=0.9", "Accept-Encoding: gzip, deflate, br",
            "Origin: https://shop.example.com", "Referer: https://shop.example.com/",
            f"Cookie: sp={visitor.network_id}",
            f"X-Forwarded-For: {visitor.address}", f'Sec-CH-UA-Platform: "{visitor.platform}"',
            f"Sec-CH-UA-Mobile: ?{int(visitor.mobile)}", "application/json",
        ]  # fmt: skip

    def _visit(self, visitor: _Visitor) -> str | None:
        """Begin a new one; the query that the first page has beside its own."""
        visitor.session, visitor.tab, visitor.first_event = self.id(), self.id(), self.id()
        visitor.began = f"2026-09-21T10:{self.chance.randrange(60):02}:17.{self.chance.randrange(1000):03}Z"
        visitor.visits += 1
        visitor.pages = 0
        visitor.page = None
        if self.chance.random() < 0.8:
            visitor.page = self.chance.choice(_REFERRERS).format(n=self.chance.randrange(2000))
        if self.chance.random() < 0.3:
            return self.chance.choice(_CAMPAIGNS).format(n=self.chance.randrange(52), id=_encoded(self.id()))
        return None

    def _page_view(self, visitor: _Visitor) -> dict[str, str]:
        campaign = self._visit(visitor) if not visitor.session or self.chance.random() < 0.15 else None
        visitor.pages += 1
        number = self.chance.choices(range(URLS), cum_weights=self._url_shares)[0]
        url = self.urls[number]
        if campaign is not None:
            url = f"{url.partition('?')[0]}?{campaign}"
        moment = self.now - self.chance.randrange(20_000)
        height = self.chance.randrange(1200, 9000)
        event = {
            "e": "pv", "eid": self.id(), "tv": "js-4.6.9", "tna": "sp", "aid": "shop", "p": "web", "cookie": "1",
            "cs": "UTF-8", "lang": visitor.language, "res": visitor.screen, "cd": "24", "tz": visitor.zone,
            "dtm": str(moment), "stm": str(self.now - 40), "vp": visitor.viewport,
            "ds": f"{visitor.viewport.partition('x')[0]}x{height}", "vid": str(visitor.visits), "sid": visitor.session,
            "duid": visitor.id, "page": f"Product {number} | Shop", "url": url,
        }  # fmt: skip
        if visitor.page is not None:
            event["refr"] = visitor.page
        if visitor.user is not None:
            event["uid"] = visitor.user
        visitor.page = url
        event["cx"] = _encoded(_compact(self._entities(visitor, height)))
        return event

    def _entities(self, visitor: _Visitor, height: int) -> dict[str, Any]:
        data = [
            {"schema": f"{_SNOWPLOW}/web_page/jsonschema/1-0-0", "data": {"id": self.id()}},
            {
                "schema": f"{_SNOWPLOW}/browser_context/jsonschema/2-0-0",
                "data": {
                    "viewport": visitor.viewport, "documentSize": f"{visitor.viewport.partition('x')[0]}x{height}",
                    "resolution": visitor.screen, "colorDepth": 24, "devicePixelRatio": 1, "cookiesEnabled": True,
                    "online": True, "browserLanguage": visitor.language, "documentLanguage": "en", "webdriver": False,
                    "deviceMemory": 8, "hardwareConcurrency": 8, "tabId": visitor.tab,
                },
            },
            {
                "schema": f"{_SNOWPLOW}/client_session/jsonschema/1-0-2",
                "data": {
                    "userId": visitor.id, "sessionId": visitor.session, "eventIndex": visitor.pages,
                    "sessionIndex": visitor.visits, "previousSessionId": None, "storageMechanism": "COOKIE_1",
                    "firstEventId": visitor.first_event, "firstEventTimestamp": visitor.began,
                },
            },
        ]  # fmt: skip
        return {"schema": f"{_SNOWPLOW}/contexts/jsonschema/1-0-0", "data": data}


def body(events: list[dict[str, str]]) -> str:
    return _compact({"schema": f"{_SNOWPLOW}/payload_data/jsonschema/1-0-4", "data": events})
