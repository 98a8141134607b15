"""Self-describing data as the modeller reads it: from the text that was stored, so that both stores give the same.

Texts repeat: all pings of a page have one, and so has everything that a browser's name says. What was read is kept for
as long as it is likely to come again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

Data = dict[str, Any]
_NOTHING: Data = {}
Entities = dict[str, list[Data]]
"""``vendor/name`` -> the data of the entities of this schema, in their order; all versions."""

NIL = "00000000-0000-0000-0000-000000000000"
"""What trackers send for an identity that is withheld."""

WEB_PAGE = "com.snowplowanalytics.snowplow/web_page"
CLIENT_SESSION = "com.snowplowanalytics.snowplow/client_session"
SCREEN = "com.snowplowanalytics.mobile/screen"
SCREEN_SUMMARY = "com.snowplowanalytics.mobile/screen_summary"
APPLICATIONS = ("com.snowplowanalytics.mobile/application", "com.snowplowanalytics.snowplow/application")
UA_PARSER = "com.snowplowanalytics.snowplow/ua_parser_context"
YAUAA = "nl.basjes/yauaa_context"
IAB = "com.iab.snowplow/spiders_and_robots"
BOT_DETECTION = "com.snowplowanalytics.snowplow/bot_detection"
CLIENT_SIDE_BOT_DETECTION = "com.snowplowanalytics.snowplow/client_side_bot_detection"
ECOMMERCE = "com.snowplowanalytics.snowplow.ecommerce/"


_READ = frozenset(
    [WEB_PAGE, CLIENT_SESSION, SCREEN, SCREEN_SUMMARY, *APPLICATIONS, UA_PARSER, YAUAA, IAB, BOT_DETECTION,
     CLIENT_SIDE_BOT_DETECTION]
)  # fmt: skip


@lru_cache(maxsize=4_000)
def entities(text: str) -> Entities:
    """Of the column ``contexts`` or ``derived_contexts``, those that are read here; nothing where the text is none of
    ours."""
    found: Entities = {}
    for item in _list(_load(text).get("data")):
        if isinstance(item, dict) and isinstance(data := item.get("data"), dict):
            schema = _schema(item)
            if schema in _READ or schema.startswith(ECOMMERCE):
                found.setdefault(schema, []).append(data)
    return found


@lru_cache(maxsize=2_000)
def event_data(text: str) -> Data:
    """The data of the column ``unstruct_event``."""
    inner = _load(text).get("data")
    data = inner.get("data") if isinstance(inner, dict) else None
    return data if isinstance(data, dict) else {}


def first(found: Entities, *schemas: str) -> Data:
    """The first entity of one of these schemas; nothing where there is none."""
    if found:
        for schema in schemas:
            if schema in found:
                return found[schema][0]
    return _NOTHING


def text_of(data: Data, *keys: str) -> str:
    """The first of these that is set, as text."""
    for key in keys:
        value = data.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def number_of(data: Data, key: str) -> float | None:
    value = data.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def identity(value: str) -> str:
    """An identifier; the nil UUID is none."""
    return "" if value == NIL else value


def _schema(item: Data) -> str:
    schema = item.get("schema")
    parts = schema.removeprefix("iglu:").split("/") if isinstance(schema, str) else []
    return "/".join(parts[:2])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _load(text: str) -> Data:
    try:
        value = orjson.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
