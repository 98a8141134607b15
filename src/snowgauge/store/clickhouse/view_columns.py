"""The columns of Simple Snowplow's table, made of the columns of ``atomic.events`` (Simple Snowplow 0.5, sheet of its
table; its rules for entities and events).

What the reference put into columns of type JSON is cut out of the texts ``contexts``, ``derived_contexts`` and
``unstruct_event``, which exist from the first day and hold every schema version under its own field names. A query
pays only for the columns it names.

Better than the reference: ``event_type`` is Snowplow's readable word (``page_view``), as the README's queries expect,
with the two-letter code as ``event_code``; ``referer`` is there as ``refr`` too; addresses of IPv6 and identifiers
that are no UUID, which read as zero, have their text beside them (``user_ip_text``, ``device_id_text``,
``session_id_text``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from snowgauge.store.settings import SimpleSnowplowSchemas

_SP = "com.snowplowanalytics.snowplow"
_MOBILE = "com.snowplowanalytics.mobile"
_UNSTRUCTURED = {
    "screen_summary": f"{_MOBILE}/screen_summary",
    "app_lifecycle": f"{_MOBILE}/application_lifecycle",
    "message_notification": f"{_MOBILE}/message_notification",
    "deep_link": f"{_MOBILE}/deep_link",
    "deep_link_received": f"{_MOBILE}/deep_link_received",
    "install_referrer": "com.android.installreferrer.api/referrer_details",
    "performance_navigation_timing": "org.w3/PerformanceNavigationTiming",
}
"""Entities that are shown below ``event.unstructured``, by the name they have there."""

_CONTEXTS = "JSONExtractArrayRaw(e.contexts, 'data')"
_DERIVED = "JSONExtractArrayRaw(e.derived_contexts, 'data')"
_EVENT_DATA = "JSONExtractRaw(e.unstruct_event, 'data', 'data')"
_EVENT_SCHEMA = "JSONExtractString(e.unstruct_event, 'data', 'schema')"


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _entity(name: str, holder: str = _CONTEXTS) -> str:
    """The data of an event's first entity of a schema, as JSON text; empty where it has none."""
    start = _quote(f"iglu:{name}/")
    return f"JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), {start}), {holder}), 'data')"


def _first(*texts: str) -> str:
    """The first text that is not empty."""
    *before, last = texts
    pairs = "".join(f"notEmpty({text}), {text}, " for text in before)
    return f"multiIf({pairs}{last})" if pairs else last


def _is(name: str) -> str:
    return f"startsWith({_EVENT_SCHEMA}, {_quote(f'iglu:{name}/')})"


def _field(text: str, name: str, kind: str = "String") -> str:
    return f"JSONExtract{kind}({text}, {_quote(name)})"


def _uuid(text: str) -> str:
    return f"toUUIDOrZero({text})"


def _without(text: str, *names: str) -> str:
    """A JSON object without some of its fields."""
    listed = ", ".join(_quote(name) for name in names)
    pairs = f"arrayFilter(p -> p.1 NOT IN ({listed}), JSONExtractKeysAndValuesRaw({text}))"
    return f"concat('{{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), {pairs}), ','), '}}')"


def _merged(texts: Sequence[str]) -> str:
    """Several JSON objects as one; of fields with one name the last wins."""
    arrays = ", ".join(f"JSONExtractKeysAndValuesRaw({text})" for text in texts)
    pairs = f"arrayConcat({arrays})"
    names = f"arrayMap(p -> p.1, {pairs})"
    last = f"arrayFilter((p, i) -> NOT has(arraySlice({names}, i + 1), p.1), {pairs}, arrayEnumerate({pairs}))"
    return f"concat('{{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), {last}), ','), '}}')"


def _object(fields: Sequence[tuple[str, str]]) -> str:
    """A JSON object of those fields whose text is not empty; names may be expressions in parentheses."""
    names = [name if name.startswith("(") else f"toJSONString({_quote(name)})" for name, _ in fields]
    items = ", ".join(
        f"if(empty({text}), '', concat({name}, ':', {text}))" for name, (_, text) in zip(names, fields, strict=True)
    )
    return f"concat('{{', arrayStringConcat(arrayFilter(x -> notEmpty(x), [{items}]), ','), '}}')"


def _tuple(parts: Sequence[tuple[str, str, str]]) -> str:
    """A named tuple of (name, type, expression)."""
    types = ", ".join(f"{name} {kind}" for name, kind, _ in parts)
    return f"CAST(tuple({', '.join(value for _, _, value in parts)}), {_quote(f'Tuple({types})')})"


def _size(width: str, height: str) -> str:
    return f"if(e.{width} IS NULL, '', concat(toString(e.{width}), 'x', toString(e.{height})))"


def columns(schemas: SimpleSnowplowSchemas, *, json: Literal["", "experimental", "stable"]) -> str:
    """The view's select list. ``json``: how far the server has the type JSON; without it its texts stay texts."""
    kind = "JSON" if json else "String"

    def typed(text: str) -> str:
        """Text of a JSON object in the type that such columns have. An object that the type cannot hold (it names a
        field twice) reads as an empty one: one sender must not make everyone's queries fail."""
        whole = f"if(startsWith({text}, '{{'), {text}, '{{}}')"
        if json == "stable":
            return f"accurateCastOrDefault({whole}, 'JSON')"
        return f"CAST({whole}, 'JSON')" if json else whole

    session = _entity(f"{_SP}/client_session")
    mobile = _entity(f"{_SP}/mobile_context")
    screen_entity = _entity(f"{_MOBILE}/screen")
    screen_data = _entity(schemas.screen_data)
    browser_context = _entity(f"{_SP}/browser_context")
    hints = _entity("org.ietf/http_client_hints")
    ua = _entity(f"{_SP}/ua_parser_context", _DERIVED)
    yauaa = _entity("nl.basjes/yauaa_context", _DERIVED)
    spiders = _entity("com.iab.snowplow/spiders_and_robots", _DERIVED)
    application = _entity(f"{_MOBILE}/application")
    amp = [_entity(f"dev.amp.snowplow/{name}") for name in ("amp_session", "amp_id", "amp_web_page")]
    screen_view = f"({_is(f'{_MOBILE}/screen_view')} OR {_is(f'{_SP}/screen_view')})"
    u2s = _is(schemas.u2s_data)
    amp_ping = _is("dev.amp.snowplow/amp_page_ping")
    event = f"multiIf({screen_view}, 'page_view', {u2s}, 'struct', {amp_ping}, 'page_ping', toString(e.event))"

    def structured(name: str) -> str:
        return f"if({u2s}, {_first(_field(_EVENT_DATA, name), _field(_EVENT_DATA, 'se_' + name))}, e.se_{name})"

    page = (
        f"multiIf({screen_view}, {_field(_EVENT_DATA, 'name')}, notEmpty(e.page_url), decodeURLComponent(e.page_url), "
        f"{_first(_field(screen_entity, 'name'), _field(screen_data, 'screen_name'))})"
    )
    referer = (
        f"if({screen_view}, replaceRegexpOne({_field(_EVENT_DATA, 'previousName')}, '^Unknown$', ''), "
        "decodeURLComponent(e.page_referrer))"
    )
    device = _first("e.domain_userid", _field(session, "userId"), *(_field(text, "domainUserid") for text in amp))
    session_id = _first("e.domain_sessionid", _field(session, "sessionId"))
    view = _first(
        _field(_entity(f"{_SP}/web_page"), "id"),
        f"if({screen_view}, {_field(_EVENT_DATA, 'id')}, '')",
        _field(screen_entity, "id"),
    )
    linker = "splitByChar('*', extractURLParameter(e.page_url, 'sp_amp_linker'))[4]"
    amp_device = f"if(empty({linker}), '', toJSONString(tryBase64Decode({linker})))"
    agent_class = _field(yauaa, "deviceClass")
    hinted = f"JSONHas({hints}, 'isMobile')"
    is_mobile = (
        f"multiIf(notEmpty({mobile}), true, {hinted}, {_field(hints, 'isMobile', 'Bool')}, "
        f"{agent_class} IN ('Phone', 'Mobile'), true, ifNull(e.dvce_ismobile, false))"
    )
    is_tablet = f"({agent_class} = 'Tablet' OR e.dvce_type = 'Tablet')"
    is_pc = (
        f"multiIf(notEmpty({mobile}), false, {hinted}, NOT {_field(hints, 'isMobile', 'Bool')}, "
        f"{agent_class} = 'Desktop' OR e.dvce_type = 'Computer')"
    )
    is_bot = (
        f"({agent_class} IN ('Robot', 'Robot Mobile', 'Robot Imitator', 'Spy', 'Hacker') OR "
        f"{_field(spiders, 'spiderOrRobot', 'Bool')})"
    )
    versions = ", ".join(_field(ua, f"useragent{part}") for part in ("Major", "Minor", "Patch"))
    ua_version = f"arrayStringConcat(arrayFilter(x -> notEmpty(x), [{versions}]), '.')"
    os_versions = ", ".join(_field(ua, f"os{part}") for part in ("Major", "Minor", "Patch"))
    ua_os_version = f"arrayStringConcat(arrayFilter(x -> notEmpty(x), [{os_versions}]), '.')"
    offsets = [("min_x", "pp_xoffset_min"), ("max_x", "pp_xoffset_max"), ("min_y", "pp_yoffset_min"),
               ("max_y", "pp_yoffset_max")]  # fmt: skip
    any_offset = " OR ".join(f"ifNull(e.{column}, 0) != 0" for _, column in offsets)
    ping = _object([(name, f"toString(ifNull(e.{column}, 0))") for name, column in offsets])
    event_name = f"(toJSONString(splitByChar('/', {_EVENT_SCHEMA})[2]))"
    own_event = f"if({u2s} OR {screen_view}, '', {_EVENT_DATA})"
    unstructured = _object(
        [
            (event_name, own_event),
            ("page_ping", f"if({any_offset}, {ping}, '')"),
            ("ad_data", _entity(schemas.ad_data)),
            *((name, _entity(schema)) for name, schema in _UNSTRUCTURED.items()),
        ]
    )
    property_text = structured("property")
    property_value = (
        f"multiIf(startsWith({property_text}, '{{') AND isValidJSON({property_text}), {property_text}, "
        f"empty({property_text}), '{{}}', concat('{{\"ex-property\":', toJSONString({property_text}), '}}'))"
    )
    u2s_number = _first(_field(_EVENT_DATA, "value", "Raw"), _field(_EVENT_DATA, "se_value", "Raw"))
    u2s_value = f"toFloat32OrZero(replaceAll({u2s_number}, '\"', ''))"
    extra = _merged(
        [
            _entity("com.acme/static_context"),
            _object(
                [
                    ("performance_timing", _entity("org.w3/PerformanceTiming")),
                    ("client_hints", hints),
                    ("ga_cookies", _first(_entity("com.google.ga4/cookies"), _entity("com.google.analytics/cookies"))),
                ]
            ),
        ]
    )
    low = "LowCardinality(String)"
    time = "DateTime64(3, 'UTC')"
    first_event = _field(session, "firstEventTimestamp")
    shown: list[tuple[str, str]] = [
        ("app_id", "if(e.app_id = 'undefined', 'other', e.app_id)"),
        (
            "platform",
            "CAST(transform(e.platform, ['web', 'mob', 'pc', 'srv', 'app', 'tv', 'cnsl', 'iot'], "
            "['web', 'mob', 'pc', 'srv', 'app', 'tv', 'cnsl', 'iot'], 'app'), "
            "'Enum8(\\'web\\' = 1, \\'mob\\' = 2, \\'pc\\' = 3, \\'srv\\' = 4, \\'app\\' = 5, \\'tv\\' = 6, "
            "\\'cnsl\\' = 7, \\'iot\\' = 8)')",
        ),
        (
            "app_info",
            _tuple([("version", low, _field(application, "version")), ("build", low, _field(application, "build"))]),
        ),
        ("page", page),
        ("referer", referer),
        ("refr", referer),
        ("event_type", event),
        (
            "event_code",
            f"transform({event}, ['page_view', 'page_ping', 'unstruct', 'struct', 'transaction', 'transaction_item'], "
            "['pv', 'pp', 'ue', 'se', 'tr', 'ti'], 'ue')",
        ),
        ("event_id", "e.event_id"),
        ("view_id", _uuid(view)),
        ("session_id", _uuid(session_id)),
        ("session_id_text", session_id),
        (
            "visit_count",
            f"toUInt64(greatest(ifNull(e.domain_sessionidx, {_field(session, 'sessionIndex', 'Int')}), 0))",
        ),
        (
            "session",
            _tuple(
                [
                    ("event_index", "UInt64", _field(session, "eventIndex", "UInt")),
                    ("previous_session_id", "UUID", _uuid(_field(session, "previousSessionId"))),
                    ("first_event_id", "UUID", _uuid(_field(session, "firstEventId"))),
                    (
                        "first_event_time",
                        time,
                        f"ifNull(parseDateTime64BestEffortOrNull({first_event}, 3, 'UTC'), toDateTime64(0, 3, 'UTC'))",
                    ),
                    ("storage_mechanism", low, _field(session, "storageMechanism")),
                    (
                        "unstructured",
                        kind,
                        typed(
                            _without(
                                session,
                                "sessionIndex",
                                "sessionId",
                                "userId",
                                "eventIndex",
                                "firstEventTimestamp",
                                "previousSessionId",
                                "firstEventId",
                                "storageMechanism",
                            )
                        ),
                    ),
                ]
            ),
        ),
        (
            "amp",
            typed(_merged([*(_without(text, "domainUserid") for text in amp), _object([("device_id", amp_device)])])),
        ),
        ("device_id", _uuid(device)),
        ("device_id_text", device),
        ("user_id", "e.user_id"),
        ("time", "ifNull(e.dvce_created_tstamp, e.collector_tstamp)"),
        (
            "time_extra",
            _tuple(
                [
                    ("received", time, "e.collector_tstamp"),
                    ("sent", time, "ifNull(e.dvce_sent_tstamp, toDateTime64(0, 3, 'UTC'))"),
                ]
            ),
        ),
        ("timezone", "e.os_timezone"),
        ("title", "e.page_title"),
        (
            "screen",
            typed(
                _merged(
                    [
                        _without(screen_entity, "name", "id"),
                        f"if({screen_view}, {_without(_EVENT_DATA, 'name', 'id', 'previousName')}, '')",
                        _without(screen_data, "screen_name"),
                    ]
                )
            ),
        ),
        ("page_data", typed(_entity(schemas.page_data))),
        ("user_data", typed(_entity(schemas.user_data))),
        ("user_ip", "toIPv4OrDefault(e.user_ipaddress)"),
        ("user_ip_text", "e.user_ipaddress"),
        ("geolocation", typed(_entity(f"{_SP}/geolocation_context"))),
        ("user_agent", "e.useragent"),
        (
            "browser",
            _tuple(
                [
                    ("family", low, _first(_field(ua, "useragentFamily"), _field(yauaa, "agentName"), "e.br_family")),
                    ("version", "String", _first(ua_version, _field(yauaa, "agentVersion"), "e.br_version")),
                    ("extra", kind, typed(_without(browser_context, "resolution", "viewport", "documentSize"))),
                ]
            ),
        ),
        (
            "os",
            _tuple(
                [
                    (
                        "family",
                        low,
                        _first(
                            _field(mobile, "osType"),
                            _field(ua, "osFamily"),
                            _field(yauaa, "operatingSystemName"),
                            "e.os_family",
                        ),
                    ),
                    (
                        "version",
                        low,
                        _first(
                            _field(mobile, "osVersion"), ua_os_version, _field(yauaa, "operatingSystemVersion"), "''"
                        ),
                    ),
                    ("language", low, "e.br_lang"),
                ]
            ),
        ),
        (
            "device",
            _tuple(
                [
                    ("brand", low, _first(_field(mobile, "deviceManufacturer"), _field(yauaa, "deviceBrand"), "''")),
                    (
                        "model",
                        low,
                        _first(
                            _field(mobile, "deviceModel"),
                            _field(yauaa, "deviceName"),
                            _field(ua, "deviceFamily"),
                            "e.dvce_type",
                        ),
                    ),
                    (
                        "extra",
                        kind,
                        typed(_without(mobile, "deviceManufacturer", "deviceModel", "osType", "osVersion")),
                    ),
                ]
            ),
        ),
        (
            "device_is",
            _tuple(
                [
                    ("mobile", "Bool", is_mobile),
                    ("tablet", "Bool", is_tablet),
                    ("touch", "Bool", f"({is_mobile} OR {is_tablet})"),
                    ("pc", "Bool", is_pc),
                    ("bot", "Bool", is_bot),
                ]
            ),
        ),
        (
            "resolution",
            _tuple(
                [
                    (
                        "browser",
                        "String",
                        _first(_size("dvce_screenwidth", "dvce_screenheight"), _field(browser_context, "resolution")),
                    ),
                    (
                        "viewport",
                        "String",
                        _first(_size("br_viewwidth", "br_viewheight"), _field(browser_context, "viewport")),
                    ),
                    (
                        "page",
                        "String",
                        _first(_size("doc_width", "doc_height"), _field(browser_context, "documentSize")),
                    ),
                ]
            ),
        ),
        (
            "event",
            _tuple(
                [
                    ("action", low, structured("action")),
                    ("category", low, structured("category")),
                    ("label", "String", structured("label")),
                    ("property", kind, typed(property_value)),
                    ("value", "Float32", f"if({u2s}, {u2s_value}, toFloat32(ifNull(e.se_value, 0)))"),
                    ("unstructured", kind, typed(unstructured)),
                ]
            ),
        ),
        ("extra", typed(extra)),
        ("tracker", _tuple([("version", low, "e.v_tracker"), ("namespace", low, "e.name_tracker")])),
        ("app", "if(e.platform = 'mob', e.name_tracker, e.app_id)"),
    ]
    return ",\n".join(f"    {expression} AS {name}" for name, expression in shown)
