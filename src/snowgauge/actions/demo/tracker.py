"""What Snowplow's JavaScript tracker would send from a browser tab, as the collector would keep it."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import urlencode

import orjson

from snowgauge import __version__
from snowgauge.actions.demo import APP_ID
from snowgauge.actions.demo.chance import generator, uuid
from snowgauge.actions.demo.people import Visitor
from snowgauge.actions.demo.shop import SITE, Page
from snowgauge.events.payload import CollectorPayload

SNOWPLOW = "iglu:com.snowplowanalytics.snowplow/"
ECOMMERCE = "iglu:com.snowplowanalytics.snowplow.ecommerce/"
_TIMING = "iglu:org.w3/PerformanceNavigationTiming/jsonschema/1-0-0"
_COLLECTOR = f"snowgauge-{__version__}"
_HOST = "collector.shop.example.com"
_NOBODY = "00000000-0000-0000-0000-000000000000"

Entity = dict[str, Any]


def entity(schema: str, data: dict[str, Any]) -> Entity:
    """Self-describing JSON."""
    return {"schema": schema, "data": data}


class Tab:
    """One visit of one person. ``now`` is the time in the browser (ms); every call adds a request to ``requests``."""

    def __init__(self, visitor: Visitor, seed: int, visit: int, at: int, chance: Random) -> None:
        self.visitor = visitor
        self.now = at
        self.requests: list[CollectorPayload] = []
        self._chance = chance
        self._visit = visit
        self._session = _session(seed, visitor, visit)
        self._before = _session(seed, visitor, visit - 1) if visit > 1 else None
        self._index = 0
        self._first = ("", "")
        self._url = self._title = self._referrer = ""
        self._view = ""
        self._page_entities: list[Entity] = []
        self._height = 1000

    def page_view(self, page: Page, *, query: str = "", referrer: str | None = None) -> None:
        """Go to a page; ``referrer`` is where from, unless it was the page before."""
        self._referrer = self._url if referrer is None else referrer
        self._url = SITE + page.path + (f"?{query}" if query else "")
        self._title = page.title
        self._view = uuid(self._chance)
        self._height = self._chance.randint(1400, 5200)
        self._page_entities = [entity(ECOMMERCE + "page/jsonschema/1-0-0", {"type": page.kind, "language": "en"})]
        if self.visitor.user and self._visit >= self.visitor.knows:
            self._page_entities.append(
                entity(ECOMMERCE + "user/jsonschema/1-0-0", {"id": self.visitor.user, "is_guest": False})
            )
        self._send({"e": "pv"}, [self._navigation()])

    def page_ping(self, reached: float) -> None:
        """Still here; ``reached`` is how far down the page, from 0 to 1."""
        down = int((self._height - 700) * reached)
        self._send({"e": "pp", "pp_mix": "0", "pp_max": "0", "pp_miy": str(down // 3), "pp_may": str(down)})

    def struct(self, category: str, action: str, label: str = "", value: object = None) -> None:
        parameters = {"e": "se", "se_ca": category, "se_ac": action}
        if label:
            parameters["se_la"] = label
        if value is not None:
            parameters["se_va"] = str(value)
        self._send(parameters)

    def event(self, schema: str, data: dict[str, Any], entities: list[Entity] | None = None) -> None:
        """A self-describing event."""
        wrapped = entity(SNOWPLOW + "unstruct_event/jsonschema/1-0-0", entity(schema, data))
        self._send({"e": "ue", "ue_pr": _text(wrapped)}, entities)

    def wait(self, least: float, most: float) -> None:
        """Let some seconds pass."""
        self.now += int(self._chance.uniform(least, most) * 1000)

    def _send(self, own: dict[str, str], entities: list[Entity] | None = None) -> None:
        visitor = self.visitor
        event_id = uuid(self._chance)
        sent = self.now + self._chance.randint(2, 40)
        arrived = sent + visitor.slow + self._chance.randint(0, 40)
        attached = [entity(SNOWPLOW + "web_page/jsonschema/1-0-0", {"id": self._view}), *self._page_entities]
        attached += entities or []
        parameters = {
            **own, "eid": event_id, "tv": visitor.tracker, "tna": "sp", "aid": APP_ID, "p": "web", "cookie": "1",
            "cs": "UTF-8", "lang": visitor.place.language, "res": visitor.device.screen, "cd": visitor.device.depth,
            "tz": visitor.place.timezone, "dtm": str(self.now), "stm": str(sent), "vp": visitor.device.window,
            "ds": f"{visitor.device.window.partition('x')[0]}x{self._height}", "url": self._url, "page": self._title,
        }  # fmt: skip
        if self._referrer:
            parameters["refr"] = self._referrer
        if not visitor.anonymous:
            parameters |= {"vid": str(self._visit), "sid": self._session, "duid": visitor.cookie}
            if visitor.user and self._visit >= visitor.knows:
                parameters["uid"] = visitor.user
            attached.append(self._client_session(event_id))
        parameters["co"] = _text({"schema": SNOWPLOW + "contexts/jsonschema/1-0-0", "data": attached})
        self.requests.append(self._payload(parameters, arrived))
        self.now += 1

    def _client_session(self, event_id: str) -> Entity:
        self._index += 1
        if self._index == 1:
            moment = datetime.fromtimestamp(self.now / 1000, UTC).isoformat(timespec="milliseconds")
            self._first = (event_id, moment.replace("+00:00", "Z"))
        return entity(
            SNOWPLOW + "client_session/jsonschema/1-0-2",
            {
                "userId": self.visitor.cookie,
                "sessionId": self._session,
                "eventIndex": self._index,
                "sessionIndex": self._visit,
                "previousSessionId": self._before,
                "storageMechanism": "COOKIE_1",
                "firstEventId": self._first[0],
                "firstEventTimestamp": self._first[1],
            },
        )

    def _navigation(self) -> Entity:
        first_byte = self._chance.uniform(30, 400) + self.visitor.slow / 2
        loaded = first_byte + self._chance.uniform(150, 1400)
        data = {
            "entryType": "navigation", "type": "navigate", "duration": round(loaded + 20, 1), "redirectCount": 0,
            "fetchStart": 2.1, "requestStart": 12.4, "responseStart": round(first_byte, 1),
            "responseEnd": round(first_byte + 18, 1), "domInteractive": round(loaded * 0.6, 1),
            "domComplete": round(loaded, 1), "loadEventEnd": round(loaded + 20, 1), "nextHopProtocol": "h2",
        }  # fmt: skip
        return entity(_TIMING, data)

    def _payload(self, parameters: dict[str, str], arrived: int) -> CollectorPayload:
        visitor = self.visitor
        headers = [
            f"Host: {_HOST}", f"User-Agent: {visitor.device.user_agent}", "Accept: */*",
            f"Accept-Language: {visitor.place.language}", f"Origin: {SITE}", f"Referer: {SITE}/",
            "Content-Type: application/json; charset=UTF-8",
        ]  # fmt: skip
        if visitor.anonymous:
            headers.append("SP-Anonymous: *")
        elif not visitor.bot:
            headers.append(f"Cookie: sp={visitor.network_id}")
        return CollectorPayload(
            ip_address="unknown" if visitor.anonymous else visitor.address,
            timestamp=arrived,
            collector=_COLLECTOR,
            user_agent=visitor.device.user_agent,
            referer_uri=SITE + "/",
            path="/com.snowplowanalytics.snowplow/tp2",
            body=_text({"schema": SNOWPLOW + "payload_data/jsonschema/1-0-4", "data": [parameters]}),
            headers=[*headers, "application/json"],
            content_type="application/json; charset=utf-8",
            hostname=_HOST,
            network_user_id=_NOBODY if visitor.anonymous else visitor.network_id,
        )


def query(**parameters: str) -> str:
    """Parameters as the part of an address behind the question mark."""
    return urlencode(parameters)


def _session(seed: int, visitor: Visitor, visit: int) -> str:
    return uuid(generator(seed, visitor.number, visit, "session"))


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
