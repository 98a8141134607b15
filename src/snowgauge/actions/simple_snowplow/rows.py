"""One row of Simple Snowplow's table to one enriched event: the way back of what it did with trackers' fields.

What its columns hold is put where Snowplow has it: atomic columns, entities, the self-describing event. The vendor of
a self-describing event was not kept by Simple Snowplow; it is known for Snowplow's own events and given by the caller
for others. Nothing here depends on the time or on chance: a row always becomes the same event.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

import snowgauge
from snowgauge.enrich.transform import urls
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.json_text import stored
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.store.settings import SimpleSnowplowSchemas

Row = Mapping[str, Any]

COLLECTOR = "simple-snowplow"
"""``v_collector`` of events that were taken over."""

_SP, _MOBILE = "com.snowplowanalytics.snowplow", "com.snowplowanalytics.mobile"
_EVENTS = {
    "pv": ("page_view", _SP, "page_view"),
    "pp": ("page_ping", _SP, "page_ping"),
    "se": ("struct", "com.google.analytics", "event"),
    "ue": ("unstruct", "", ""),
    "tr": ("transaction", _SP, "transaction"),
    "ti": ("transaction_item", _SP, "transaction_item"),
    "s": ("struct", "com.google.analytics", "event"),
}
_BY_WORD = {word: (word, vendor, name) for word, vendor, name in _EVENTS.values()}
_ENTITIES = {
    "screen_summary": (_MOBILE, "screen_summary"),
    "app_lifecycle": (_MOBILE, "application_lifecycle"),
    "message_notification": (_MOBILE, "message_notification"),
    "deep_link": (_MOBILE, "deep_link"),
    "deep_link_received": (_MOBILE, "deep_link_received"),
    "install_referrer": ("com.android.installreferrer.api", "referrer_details"),
    "performance_navigation_timing": ("org.w3", "PerformanceNavigationTiming"),
}
"""Below ``event.unstructured`` these may be entities of any event."""
_KNOWN_EVENTS = {
    **dict.fromkeys(
        ("link_click", "add_to_cart", "remove_from_cart", "site_search", "social_interaction", "change_form",
         "submit_form", "focus_form", "timing", "ad_click", "ad_conversion", "ad_impression", "application_error",
         "application_background", "application_foreground", "button_click", "consent_granted", "consent_withdrawn",
         "consent_preferences", "cmp_visible", "web_vitals", "media_player_event", "diagnostic_error"), _SP,
    ),
    **dict.fromkeys(
        ("screen_end", "scroll_changed", "list_item_view", "application_install", "deep_link_received",
         "message_notification"), _MOBILE,
    ),
    "snowplow_ecommerce_action": "com.snowplowanalytics.snowplow.ecommerce",
    "amp_page_ping": "dev.amp.snowplow",
}  # fmt: skip
_ZERO = "00000000-0000-0000-0000-000000000000"


class Rows:
    """Makes events of rows. ``origin`` names the table; ``vendor`` is that of events whose own is not known."""

    def __init__(self, origin: str, schemas: SimpleSnowplowSchemas, vendor: str) -> None:
        self.mark = f"{COLLECTOR}:{origin}"
        """``etl_tags`` of the events of this table."""
        self._schemas = schemas
        self._vendor = vendor

    def event(self, row: Row) -> EnrichedEvent:
        """Raises ``ValueError`` for a row without a readable ``time``."""
        word, vendor, name = self._kind(row)
        created = _time(row.get("time"))
        if created is None:
            raise ValueError(f"expected a row with a column time, found the columns {', '.join(sorted(row)[:20])}")
        extra_times = _object(row.get("time_extra"))
        collected = _time(extra_times.get("received")) or created
        sent = _time(extra_times.get("sent"))
        happened = collected - (sent - created) if sent is not None and sent > created else collected
        page = _text(row.get("page"))
        url = page if page and "://" in page else None
        screens, browser = _object(row.get("resolution")), _object(row.get("browser"))
        system, what = _object(row.get("os")), _object(row.get("event"))
        device_is, tracker = _object(row.get("device_is")), _object(row.get("tracker"))
        unstructured = dict(_object(what.get("unstructured")))
        ping = _object(unstructured.pop("page_ping", None))
        contexts = self._contexts(row, page if url is None else None, unstructured)
        described = self._described(unstructured) if word == "unstruct" else None
        contexts += self._entities(unstructured)
        if described is not None:
            vendor, name = described.schema.vendor, described.schema.name
        event = EnrichedEvent(
            app_id=_text(row.get("app_id")),
            platform=_text(row.get("platform")),
            etl_tstamp=collected,
            collector_tstamp=collected,
            dvce_created_tstamp=created,
            dvce_sent_tstamp=sent,
            derived_tstamp=happened,
            event=word,
            event_id=self._id(row),
            event_vendor=vendor or None,
            event_name=name or None,
            event_format="jsonschema",
            event_version=described.schema.version if described is not None else "1-0-0",
            name_tracker=_text(tracker.get("namespace")),
            v_tracker=_text(tracker.get("version")),
            v_collector=COLLECTOR,
            v_etl=f"snowgauge-{snowgauge.__version__}",
            etl_tags=self.mark,
            user_id=_text(row.get("user_id")),
            user_ipaddress=_unless(_text(row.get("user_ip")), "0.0.0.0"),  # noqa: S104 - the reference's "none"
            domain_userid=_unless(_text(row.get("device_id")), _ZERO),
            domain_sessionid=_unless(_text(row.get("session_id")), _ZERO),
            domain_sessionidx=int(row.get("visit_count") or 0) or None,
            page_url=url,
            page_title=_text(row.get("title")),
            page_referrer=_text(row.get("referer", row.get("refr"))),
            useragent=_text(row.get("user_agent")),
            br_family=_text(browser.get("family")),
            br_version=_text(browser.get("version")),
            br_lang=_text(system.get("language")),
            os_family=_text(system.get("family")),
            os_timezone=_text(row.get("timezone")),
            dvce_ismobile=bool(device_is["mobile"]) if "mobile" in device_is else None,
            dvce_type=_device_type(device_is),
            contexts=contexts,
            derived_contexts=_derived(row, browser, system, device_is),
            unstruct_event=described,
        )
        event.dvce_screenwidth, event.dvce_screenheight = _size(screens.get("browser"))
        event.br_viewwidth, event.br_viewheight = _size(screens.get("viewport"))
        event.doc_width, event.doc_height = _size(screens.get("page"))
        if word == "struct":
            event.se_action, event.se_category = _text(what.get("action")), _text(what.get("category"))
            event.se_label, event.se_property = _text(what.get("label")), _property(what.get("property"))
            value = what.get("value")
            event.se_value = f"{value:g}" if value else None
        if word == "page_ping":
            for at, column in (("min_x", "pp_xoffset_min"), ("max_x", "pp_xoffset_max"), ("min_y", "pp_yoffset_min"),
                               ("max_y", "pp_yoffset_max")):  # fmt: skip
                setattr(event, column, int(ping.get(at) or 0))
        _cut_up(event)
        return event

    def _kind(self, row: Row) -> tuple[str, str, str]:
        code = str(row.get("event_type") or "")
        return _EVENTS.get(code) or _BY_WORD.get(code) or _EVENTS["ue"]

    def _id(self, row: Row) -> str:
        found = _unless(_text(row.get("event_id")), _ZERO)
        if found:
            return found.lower()
        seed = msgspec.json.encode([self.mark, row], order="deterministic")
        return str(uuid.UUID(bytes=hashlib.sha256(seed).digest()[:16], version=4))

    def _contexts(self, row: Row, screen_name: str | None, unstructured: dict[str, Any]) -> list[SelfDescribing]:
        made: list[SelfDescribing] = []

        def add(vendor: str, name: str, data: Mapping[str, Any], version: str = "1-0-0") -> None:
            if data:
                made.append(_described(f"iglu:{vendor}/{name}/jsonschema/{version}", dict(data)))

        view = _unless(_text(row.get("view_id")), _ZERO)
        screen = _object(row.get("screen"))
        if screen_name:
            add(_MOBILE, "screen", {"name": screen_name, **({"id": view} if view else {}), **screen})
        else:
            add(_SP, "web_page", {"id": view} if view else {})
            add(*_named(self._schemas.screen_data), screen)
        add(*_named(self._schemas.page_data), _object(row.get("page_data")))
        add(*_named(self._schemas.user_data), _object(row.get("user_data")))
        add(*_named(self._schemas.ad_data), _object(unstructured.pop("ad_data", None)))
        add("dev.amp.snowplow", "amp_web_page", _object(row.get("amp")))
        add(_SP, "geolocation_context", _object(row.get("geolocation")), "1-1-0")
        about = _object(row.get("app_info"))
        add(_MOBILE, "application", {name: value for name, value in about.items() if value})
        add(_SP, "client_session", _session(row), "1-0-2")
        device = _object(row.get("device"))
        system = _object(row.get("os"))
        if row.get("platform") == "mob":
            names = {"deviceManufacturer": device.get("brand"), "deviceModel": device.get("model"),
                     "osType": system.get("family"), "osVersion": system.get("version")}  # fmt: skip
            known = {name: value for name, value in names.items() if value}
            add(_SP, "mobile_context", {**known, **_object(device.get("extra"))}, "1-0-3")
        add(_SP, "browser_context", _object(_object(row.get("browser")).get("extra")), "2-0-0")
        extra = dict(_object(row.get("extra")))
        add("org.w3", "PerformanceTiming", _object(extra.pop("performance_timing", None)))
        add("org.ietf", "http_client_hints", _object(extra.pop("client_hints", None)))
        add("com.google.analytics", "cookies", _object(extra.pop("ga_cookies", None)))
        add("com.acme", "static_context", extra)
        return made

    def _described(self, unstructured: dict[str, Any]) -> SelfDescribing | None:
        """The self-describing event: what is not the name of an entity, or else the first thing there is."""
        names = [name for name in unstructured if name not in _ENTITIES] or list(unstructured)
        if not names:
            return None
        name = names[0]
        data = unstructured.pop(name)
        vendor = _KNOWN_EVENTS.get(name, self._vendor)
        return _described(f"iglu:{vendor}/{name}/jsonschema/1-0-0", data if isinstance(data, dict) else {"value": data})

    def _entities(self, unstructured: dict[str, Any]) -> list[SelfDescribing]:
        made = []
        for name, data in unstructured.items():
            vendor, schema = _ENTITIES.get(name, (self._vendor, name))
            made.append(_described(f"iglu:{vendor}/{schema}/jsonschema/1-0-0", data))
        return made


def _described(uri: str, data: Any) -> SelfDescribing:
    return SelfDescribing(SchemaKey.parse(uri), data)


def _named(schema: str) -> tuple[str, str]:
    vendor, _, name = schema.partition("/")
    return vendor, name


def _object(value: Any) -> dict[str, Any]:
    """A JSON or tuple column; older tables have JSON text."""
    if isinstance(value, str) and value[:1] == "{":
        value = stored(value)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _unless(value: str | None, nothing: str) -> str | None:
    return None if value == nothing else value


def _time(value: Any) -> int | None:
    """Milliseconds; the year 1970 is how a column without a value reads."""
    if not value:
        return None
    at = datetime.fromisoformat(str(value).replace(" ", "T").removesuffix("Z")).replace(tzinfo=UTC)
    return round(at.timestamp() * 1000) or None


def _size(value: Any) -> tuple[int | None, int | None]:
    width, _, height = str(value or "").partition("x")
    if not (width.isdigit() and height.isdigit()) or (width, height) == ("0", "0"):
        return None, None
    return min(int(width), 2**31 - 1), min(int(height), 2**31 - 1)


def _property(value: Any) -> str | None:
    """Plain text was kept as ``{"ex-property": text}``, an object as itself."""
    found = _object(value) if not isinstance(value, str) or value[:1] == "{" else {"ex-property": value}
    if not found:
        return None
    if list(found) == ["ex-property"]:
        return _text(found["ex-property"])
    return msgspec.json.encode(found).decode()


def _device_type(device_is: Mapping[str, Any]) -> str | None:
    for name, kind in (("tablet", "Tablet"), ("mobile", "Mobile"), ("pc", "Computer")):
        if device_is.get(name):
            return kind
    return None


def _session(row: Row) -> dict[str, Any]:
    """The data of ``client_session``, where there was one."""
    found = _object(row.get("session"))
    first = _unless(_text(found.get("first_event_id")), _ZERO)
    if not (found.get("event_index") or first or found.get("storage_mechanism")):
        return {}
    at = _time(found.get("first_event_time"))
    data = {
        "userId": _unless(_text(row.get("device_id")), _ZERO),
        "sessionId": _unless(_text(row.get("session_id")), _ZERO),
        "sessionIndex": int(row.get("visit_count") or 0),
        "previousSessionId": _unless(_text(found.get("previous_session_id")), _ZERO),
        "eventIndex": int(found.get("event_index") or 0),
        "firstEventId": first,
        "firstEventTimestamp": None
        if at is None
        else datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "storageMechanism": _text(found.get("storage_mechanism")),
        **_object(found.get("unstructured")),
    }
    return {name: value for name, value in data.items() if value is not None}


def _derived(
    row: Row, browser: Mapping[str, Any], system: Mapping[str, Any], device_is: Mapping[str, Any]
) -> list[SelfDescribing]:
    made = []
    if browser.get("family") or (system.get("family") and row.get("platform") != "mob"):
        data = {"useragentFamily": browser.get("family") or "Other", **_versions("useragent", browser.get("version"))}
        data |= {"osFamily": system.get("family") or "Other", **_versions("os", system.get("version"))}
        data["deviceFamily"] = _object(row.get("device")).get("model") or "Other"
        made.append(_described(f"iglu:{_SP}/ua_parser_context/jsonschema/1-0-0", data))
    if device_is.get("bot"):
        data = {"spiderOrRobot": True, "category": "SPIDER_OR_ROBOT", "reason": "FAILED_UA_INCLUDE",
                "primaryImpact": "UNKNOWN"}  # fmt: skip
        made.append(_described("iglu:com.iab.snowplow/spiders_and_robots/jsonschema/1-0-0", data))
    return made


def _versions(prefix: str, version: Any) -> dict[str, str]:
    parts = str(version or "").split(".", 2)
    return {f"{prefix}{name}": part for name, part in zip(("Major", "Minor", "Patch"), parts, strict=False) if part}


def _cut_up(event: EnrichedEvent) -> None:
    """The parts of page and referrer address; one that cannot be read stays whole."""
    for text, prefix in ((event.page_url, "page_url"), (event.page_referrer, "refr_url")):
        if not text:
            continue
        try:
            url = urls.parse(text)
        except urls.BadUrl:
            continue
        for part in ("scheme", "host", "port", "path", "query", "fragment"):
            setattr(event, f"{prefix}{part}", getattr(url, part) if url.host else None)
