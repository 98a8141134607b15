"""Simple Snowplow's tables as views over ``atomic.events``: people's queries keep working (its README's included).

``snowplow.local`` and ``snowplow.distributed`` are one view under two names. ``event_type`` is Snowplow's readable
word (``page_view``), as the README's queries expect; the two-letter code is ``event_code``. ``referer`` is there as
``refr`` too. Identifiers that are no UUID (hashes) read as the zero UUID; the text is beside them.
"""

from __future__ import annotations

from snowgauge.store.clickhouse.layout import Layout

_COLUMNS = """\
    e.app_id AS app_id,
    CAST(transform(e.platform, ['web', 'mob', 'pc', 'srv', 'app', 'tv', 'cnsl', 'iot'],
        ['web', 'mob', 'pc', 'srv', 'app', 'tv', 'cnsl', 'iot'], 'app'),
        'Enum8(\\'web\\' = 1, \\'mob\\' = 2, \\'pc\\' = 3, \\'srv\\' = 4, \\'app\\' = 5, \\'tv\\' = 6, \\'cnsl\\' = 7, \\'iot\\' = 8)') AS platform,
    decodeURLComponent(e.page_url) AS page,
    decodeURLComponent(e.page_referrer) AS referer,
    decodeURLComponent(e.page_referrer) AS refr,
    toString(e.event) AS event_type,
    transform(e.event, ['page_view', 'page_ping', 'unstruct', 'struct', 'transaction', 'transaction_item'],
        ['pv', 'pp', 'ue', 'se', 'tr', 'ti'], 'ue') AS event_code,
    e.event_id AS event_id,
    toUUIDOrZero(JSONExtractString(arrayFirst(x -> JSONExtractString(x, 'schema') LIKE
        'iglu:com.snowplowanalytics.snowplow/web\\_page/%', JSONExtractArrayRaw(e.contexts, 'data')), 'data', 'id')) AS view_id,
    toUUIDOrZero(e.domain_sessionid) AS session_id,
    e.domain_sessionid AS session_id_text,
    toUInt64(greatest(ifNull(e.domain_sessionidx, 0), 0)) AS visit_count,
    toUUIDOrZero(e.domain_userid) AS device_id,
    e.domain_userid AS device_id_text,
    e.user_id AS user_id,
    ifNull(e.dvce_created_tstamp, e.collector_tstamp) AS time,
    CAST(tuple(e.collector_tstamp, ifNull(e.dvce_sent_tstamp, toDateTime64(0, 3, 'UTC'))),
        'Tuple(received DateTime64(3, \\'UTC\\'), sent DateTime64(3, \\'UTC\\'))') AS time_extra,
    e.os_timezone AS timezone,
    e.page_title AS title,
    toIPv4OrDefault(e.user_ipaddress) AS user_ip,
    e.user_ipaddress AS user_ip_text,
    e.useragent AS user_agent,
    CAST(tuple(e.br_family, e.br_version), 'Tuple(family LowCardinality(String), version String)') AS browser,
    CAST(tuple(e.os_family, '', e.br_lang),
        'Tuple(family LowCardinality(String), version LowCardinality(String), language LowCardinality(String))') AS os,
    CAST(tuple('', e.dvce_type), 'Tuple(brand LowCardinality(String), model LowCardinality(String))') AS device,
    CAST(tuple(ifNull(e.dvce_ismobile, false), e.dvce_type = 'Tablet', ifNull(e.dvce_ismobile, false),
        e.dvce_type = 'Computer', false),
        'Tuple(mobile Bool, tablet Bool, touch Bool, pc Bool, bot Bool)') AS device_is,
    CAST(tuple(
        if(e.dvce_screenwidth IS NULL, '', concat(toString(e.dvce_screenwidth), 'x', toString(e.dvce_screenheight))),
        if(e.br_viewwidth IS NULL, '', concat(toString(e.br_viewwidth), 'x', toString(e.br_viewheight))),
        if(e.doc_width IS NULL, '', concat(toString(e.doc_width), 'x', toString(e.doc_height)))),
        'Tuple(browser String, viewport String, page String)') AS resolution,
    CAST(tuple(e.se_action, e.se_category, e.se_label, e.se_property, toFloat32(ifNull(e.se_value, 0)),
        if(e.unstruct_event = '', '', concat('{"', e.event_name, '":', JSONExtractRaw(e.unstruct_event, 'data', 'data'), '}'))),
        'Tuple(action LowCardinality(String), category LowCardinality(String), label String, property String, value Float32, unstructured String)') AS event,
    CAST(tuple(e.v_tracker, e.name_tracker),
        'Tuple(version LowCardinality(String), namespace LowCardinality(String))') AS tracker,
    if(e.platform = 'mob', e.name_tracker, e.app_id) AS app"""  # noqa: E501


def create_views(layout: Layout) -> list[str]:
    """The statements that make both views; none where they are switched off."""
    chosen = layout.settings.tables.snowplow
    if not chosen.enabled:
        return []
    cluster = layout.on_cluster()
    statements = []
    databases = []
    for name in (chosen.local.name or "local", chosen.distributed.name or "distributed"):
        database, _, view = name.rpartition(".")
        database = database or layout.settings.views_database
        if database not in databases:
            databases.append(database)
        statements.append(
            f"CREATE OR REPLACE VIEW `{database}`.`{view}`{cluster} AS\nSELECT\n{_COLUMNS}\n"
            f"FROM {layout.name('events')} AS e"
        )
    return [f"CREATE DATABASE IF NOT EXISTS `{database}`{cluster}" for database in databases] + statements
