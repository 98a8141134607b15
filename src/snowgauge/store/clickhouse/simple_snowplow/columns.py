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

from snowgauge.store.clickhouse.simple_snowplow.expressions import (
    field,
    first,
    merged_pairs,
    object_of,
    pairs_of,
    quote,
    size,
    tuple_of,
    uuid,
    without,
)
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

_CONTEXTS, _DERIVED, _EVENT_DATA, _EVENT_SCHEMA = "x_contexts", "x_derived", "x_event_data", "x_event_schema"
_TEXTS = {
    _CONTEXTS: "JSONExtractArrayRaw(e.contexts, 'data')",
    _DERIVED: "JSONExtractArrayRaw(e.derived_contexts, 'data')",
    _EVENT_DATA: "JSONExtractRaw(e.unstruct_event, 'data', 'data')",
    _EVENT_SCHEMA: "JSONExtractString(e.unstruct_event, 'data', 'schema')",
}
"""Names that the view gives to what several columns are cut out of."""


def _entity(name: str, holder: str = _CONTEXTS) -> str:
    """The data of an event's first entity of a schema, as JSON text; empty where it has none."""
    start = quote(f"iglu:{name}/")
    return f"JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), {start}), {holder}), 'data')"


def _is(name: str) -> str:
    return f"startsWith({_EVENT_SCHEMA}, {quote(f'iglu:{name}/')})"


def select(schemas: SimpleSnowplowSchemas, *, json: Literal["", "experimental", "stable"]) -> str:
    """The view's ``WITH`` and ``SELECT`` over events ``AS e``. ``json``: how far the server has the type JSON; without
    it its texts stay texts.

    What several columns need has a name. Written out at each place, the view would be five times as long, and reading
    its text would take the server longer than most questions.
    """
    kind = "JSON" if json else "String"
    texts = dict(_TEXTS)

    def named(name: str, expression: str) -> str:
        texts[name] = expression
        return name

    def entity(name: str, schema: str, holder: str = _CONTEXTS) -> str:
        return named(f"x_{name}", _entity(schema, holder))

    def typed(name: str, expression: str) -> str:
        """Text of a JSON object in the type that such columns have. An object that the type cannot hold (it names a
        field twice) reads as an empty one: one sender must not make everyone's queries fail."""
        text = named(f"x_{name}_text", expression)
        whole = f"if(startsWith({text}, '{{'), {text}, '{{}}')"
        if json == "stable":
            return f"accurateCastOrDefault({whole}, 'JSON')"
        return f"CAST({whole}, 'JSON')" if json else whole

    def merged(name: str, texts: Sequence[str]) -> str:
        return merged_pairs(named(f"x_{name}_pairs", pairs_of(texts)))

    session = entity("session", f"{_SP}/client_session")
    mobile = entity("mobile", f"{_SP}/mobile_context")
    screen_entity = entity("screen", f"{_MOBILE}/screen")
    screen_data = entity("screen_data", schemas.screen_data)
    browser_context = entity("browser_context", f"{_SP}/browser_context")
    hints = entity("hints", "org.ietf/http_client_hints")
    ua = entity("ua", f"{_SP}/ua_parser_context", _DERIVED)
    yauaa = entity("yauaa", "nl.basjes/yauaa_context", _DERIVED)
    spiders = entity("spiders", "com.iab.snowplow/spiders_and_robots", _DERIVED)
    application = entity("application", f"{_MOBILE}/application")
    amp = [entity(name, f"dev.amp.snowplow/{name}") for name in ("amp_session", "amp_id", "amp_web_page")]
    screen_view = named("x_screen_view", f"({_is(f'{_MOBILE}/screen_view')} OR {_is(f'{_SP}/screen_view')})")
    u2s = named("x_u2s", _is(schemas.u2s_data))
    amp_ping = _is("dev.amp.snowplow/amp_page_ping")
    event = named(
        "x_event",
        f"multiIf({screen_view}, 'page_view', {u2s}, 'struct', {amp_ping}, 'page_ping', toString(e.event))",
    )

    def structured(name: str) -> str:
        return f"if({u2s}, {first(field(_EVENT_DATA, name), field(_EVENT_DATA, 'se_' + name))}, e.se_{name})"

    page = (
        f"multiIf({screen_view}, {field(_EVENT_DATA, 'name')}, notEmpty(e.page_url), decodeURLComponent(e.page_url), "
        f"{first(field(screen_entity, 'name'), field(screen_data, 'screen_name'))})"
    )
    referer = named(
        "x_referer",
        f"if({screen_view}, replaceRegexpOne({field(_EVENT_DATA, 'previousName')}, '^Unknown$', ''), "
        "decodeURLComponent(e.page_referrer))",
    )
    device = named(
        "x_device",
        first(
            "e.domain_userid",
            field(session, "userId"),
            *(field(text, "domainUserid") for text in amp),
        ),
    )
    session_id = named("x_session_id", first("e.domain_sessionid", field(session, "sessionId")))
    view = first(
        field(_entity(f"{_SP}/web_page"), "id"),
        f"if({screen_view}, {field(_EVENT_DATA, 'id')}, '')",
        field(screen_entity, "id"),
    )
    linker = named("x_linker", "splitByChar('*', extractURLParameter(e.page_url, 'sp_amp_linker'))[4]")
    amp_device = f"if(empty({linker}), '', toJSONString(tryBase64Decode({linker})))"
    agent_class = named("x_agent_class", field(yauaa, "deviceClass"))
    hinted = f"JSONHas({hints}, 'isMobile')"
    is_mobile = named(
        "x_is_mobile",
        f"multiIf(notEmpty({mobile}), true, {hinted}, {field(hints, 'isMobile', 'Bool')}, "
        f"{agent_class} IN ('Phone', 'Mobile'), true, ifNull(e.dvce_ismobile, false))",
    )
    is_tablet = named("x_is_tablet", f"({agent_class} = 'Tablet' OR e.dvce_type = 'Tablet')")
    is_pc = (
        f"multiIf(notEmpty({mobile}), false, {hinted}, NOT {field(hints, 'isMobile', 'Bool')}, "
        f"{agent_class} = 'Desktop' OR e.dvce_type = 'Computer')"
    )
    is_bot = (
        f"({agent_class} IN ('Robot', 'Robot Mobile', 'Robot Imitator', 'Spy', 'Hacker') OR "
        f"{field(spiders, 'spiderOrRobot', 'Bool')})"
    )
    versions = ", ".join(field(ua, f"useragent{part}") for part in ("Major", "Minor", "Patch"))
    ua_version = f"arrayStringConcat(arrayFilter(x -> notEmpty(x), [{versions}]), '.')"
    os_versions = ", ".join(field(ua, f"os{part}") for part in ("Major", "Minor", "Patch"))
    ua_os_version = f"arrayStringConcat(arrayFilter(x -> notEmpty(x), [{os_versions}]), '.')"
    offsets = [("min_x", "pp_xoffset_min"), ("max_x", "pp_xoffset_max"), ("min_y", "pp_yoffset_min"),
               ("max_y", "pp_yoffset_max")]  # fmt: skip
    any_offset = " OR ".join(f"ifNull(e.{column}, 0) != 0" for _, column in offsets)
    ping = object_of([(name, f"toString(ifNull(e.{column}, 0))") for name, column in offsets])
    event_name = f"(toJSONString(splitByChar('/', {_EVENT_SCHEMA})[2]))"
    own_event = f"if({u2s} OR {screen_view}, '', {_EVENT_DATA})"
    unstructured = object_of(
        [
            (event_name, own_event),
            ("page_ping", f"if({any_offset}, {ping}, '')"),
            ("ad_data", _entity(schemas.ad_data)),
            *((name, _entity(schema)) for name, schema in _UNSTRUCTURED.items()),
        ]
    )
    property_text = named("x_se_property", structured("property"))
    property_value = (
        f"multiIf(startsWith({property_text}, '{{') AND isValidJSON({property_text}), {property_text}, "
        f"empty({property_text}), '{{}}', concat('{{\"ex-property\":', toJSONString({property_text}), '}}'))"
    )
    u2s_number = first(field(_EVENT_DATA, "value", "Raw"), field(_EVENT_DATA, "se_value", "Raw"))
    u2s_value = f"toFloat32OrZero(replaceAll({u2s_number}, '\"', ''))"
    extra = merged(
        "extra",
        [
            _entity("com.acme/static_context"),
            object_of(
                [
                    ("performance_timing", _entity("org.w3/PerformanceTiming")),
                    ("client_hints", hints),
                    (
                        "ga_cookies",
                        first(_entity("com.google.ga4/cookies"), _entity("com.google.analytics/cookies")),
                    ),
                ]
            ),
        ],
    )
    low = "LowCardinality(String)"
    time = "DateTime64(3, 'UTC')"
    first_event = field(session, "firstEventTimestamp")
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
            tuple_of(
                [
                    ("version", low, field(application, "version")),
                    ("build", low, field(application, "build")),
                ]
            ),
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
        ("view_id", uuid(view)),
        ("session_id", uuid(session_id)),
        ("session_id_text", session_id),
        (
            "visit_count",
            f"toUInt64(greatest(ifNull(e.domain_sessionidx, {field(session, 'sessionIndex', 'Int')}), 0))",
        ),
        (
            "session",
            tuple_of(
                [
                    ("event_index", "UInt64", field(session, "eventIndex", "UInt")),
                    ("previous_session_id", "UUID", uuid(field(session, "previousSessionId"))),
                    ("first_event_id", "UUID", uuid(field(session, "firstEventId"))),
                    (
                        "first_event_time",
                        time,
                        f"ifNull(parseDateTime64BestEffortOrNull({first_event}, 3, 'UTC'), toDateTime64(0, 3, 'UTC'))",
                    ),
                    ("storage_mechanism", low, field(session, "storageMechanism")),
                    (
                        "unstructured",
                        kind,
                        typed(
                            "session",
                            without(
                                session,
                                "sessionIndex",
                                "sessionId",
                                "userId",
                                "eventIndex",
                                "firstEventTimestamp",
                                "previousSessionId",
                                "firstEventId",
                                "storageMechanism",
                            ),
                        ),
                    ),
                ]
            ),
        ),
        (
            "amp",
            typed(
                "amp",
                merged(
                    "amp",
                    [
                        *(without(text, "domainUserid") for text in amp),
                        object_of([("device_id", amp_device)]),
                    ],
                ),
            ),
        ),
        ("device_id", uuid(device)),
        ("device_id_text", device),
        ("user_id", "e.user_id"),
        ("time", "ifNull(e.dvce_created_tstamp, e.collector_tstamp)"),
        (
            "time_extra",
            tuple_of(
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
                "screen",
                merged(
                    "screen",
                    [
                        without(screen_entity, "name", "id"),
                        f"if({screen_view}, {without(_EVENT_DATA, 'name', 'id', 'previousName')}, '')",
                        without(screen_data, "screen_name"),
                    ],
                ),
            ),
        ),
        ("page_data", typed("page_data", _entity(schemas.page_data))),
        ("user_data", typed("user_data", _entity(schemas.user_data))),
        ("user_ip", "toIPv4OrDefault(e.user_ipaddress)"),
        ("user_ip_text", "e.user_ipaddress"),
        ("geolocation", typed("geolocation", _entity(f"{_SP}/geolocation_context"))),
        ("user_agent", "e.useragent"),
        (
            "browser",
            tuple_of(
                [
                    (
                        "family",
                        low,
                        first(
                            field(ua, "useragentFamily"),
                            field(yauaa, "agentName"),
                            "e.br_family",
                        ),
                    ),
                    (
                        "version",
                        "String",
                        first(ua_version, field(yauaa, "agentVersion"), "e.br_version"),
                    ),
                    (
                        "extra",
                        kind,
                        typed("browser", without(browser_context, "resolution", "viewport", "documentSize")),
                    ),
                ]
            ),
        ),
        (
            "os",
            tuple_of(
                [
                    (
                        "family",
                        low,
                        first(
                            field(mobile, "osType"),
                            field(ua, "osFamily"),
                            field(yauaa, "operatingSystemName"),
                            "e.os_family",
                        ),
                    ),
                    (
                        "version",
                        low,
                        first(
                            field(mobile, "osVersion"),
                            ua_os_version,
                            field(yauaa, "operatingSystemVersion"),
                            "''",
                        ),
                    ),
                    ("language", low, "e.br_lang"),
                ]
            ),
        ),
        (
            "device",
            tuple_of(
                [
                    (
                        "brand",
                        low,
                        first(
                            field(mobile, "deviceManufacturer"),
                            field(yauaa, "deviceBrand"),
                            "''",
                        ),
                    ),
                    (
                        "model",
                        low,
                        first(
                            field(mobile, "deviceModel"),
                            field(yauaa, "deviceName"),
                            field(ua, "deviceFamily"),
                            "e.dvce_type",
                        ),
                    ),
                    (
                        "extra",
                        kind,
                        typed(
                            "device",
                            without(mobile, "deviceManufacturer", "deviceModel", "osType", "osVersion"),
                        ),
                    ),
                ]
            ),
        ),
        (
            "device_is",
            tuple_of(
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
            tuple_of(
                [
                    (
                        "browser",
                        "String",
                        first(
                            size("dvce_screenwidth", "dvce_screenheight"),
                            field(browser_context, "resolution"),
                        ),
                    ),
                    (
                        "viewport",
                        "String",
                        first(
                            size("br_viewwidth", "br_viewheight"),
                            field(browser_context, "viewport"),
                        ),
                    ),
                    (
                        "page",
                        "String",
                        first(
                            size("doc_width", "doc_height"),
                            field(browser_context, "documentSize"),
                        ),
                    ),
                ]
            ),
        ),
        (
            "event",
            tuple_of(
                [
                    ("action", low, structured("action")),
                    ("category", low, structured("category")),
                    ("label", "String", structured("label")),
                    ("property", kind, typed("property", property_value)),
                    ("value", "Float32", f"if({u2s}, {u2s_value}, toFloat32(ifNull(e.se_value, 0)))"),
                    ("unstructured", kind, typed("unstructured", unstructured)),
                ]
            ),
        ),
        ("extra", typed("extra", extra)),
        ("tracker", tuple_of([("version", low, "e.v_tracker"), ("namespace", low, "e.name_tracker")])),
        ("app", "if(e.platform = 'mob', e.name_tracker, e.app_id)"),
    ]
    given, listed = (
        ",\n".join(f"    {expression} AS {name}" for name, expression in pairs) for pairs in (texts.items(), shown)
    )
    return f"WITH\n{given}\nSELECT\n{listed}"
