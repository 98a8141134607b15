CREATE DATABASE IF NOT EXISTS `atomic` ON CLUSTER `main`;

CREATE TABLE IF NOT EXISTS `atomic`.`snowgauge_migrations` ON CLUSTER `main`
(
    `version` UInt32,
    `name` String,
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', applied_at)
ORDER BY version
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS `atomic`.`snowgauge_batches` ON CLUSTER `main`
(
    `batch_id` String CODEC(ZSTD(1)),
    `events` UInt64,
    `failed` UInt64,
    `incomplete` UInt64,
    `refused` UInt64,
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', stored_at)
ORDER BY batch_id
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE TABLE IF NOT EXISTS `atomic`.`events_local` ON CLUSTER `main`
(
    `app_id` LowCardinality(String),
    `platform` LowCardinality(String),
    `etl_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `collector_tstamp` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `dvce_created_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `event` LowCardinality(String),
    `event_id` UUID CODEC(ZSTD(1)),
    `txn_id` Nullable(Int32),
    `name_tracker` LowCardinality(String),
    `v_tracker` LowCardinality(String),
    `v_collector` LowCardinality(String),
    `v_etl` LowCardinality(String),
    `user_id` String CODEC(ZSTD(1)),
    `user_ipaddress` String CODEC(ZSTD(1)),
    `user_fingerprint` String CODEC(ZSTD(1)),
    `domain_userid` String CODEC(ZSTD(1)),
    `domain_sessionidx` Nullable(Int32),
    `network_userid` String CODEC(ZSTD(1)),
    `geo_country` LowCardinality(String),
    `geo_region` LowCardinality(String),
    `geo_city` LowCardinality(String),
    `geo_zipcode` String CODEC(ZSTD(1)),
    `geo_latitude` Nullable(Float64),
    `geo_longitude` Nullable(Float64),
    `geo_region_name` LowCardinality(String),
    `ip_isp` LowCardinality(String),
    `ip_organization` LowCardinality(String),
    `ip_domain` LowCardinality(String),
    `ip_netspeed` LowCardinality(String),
    `page_url` String CODEC(ZSTD(1)),
    `page_title` String CODEC(ZSTD(1)),
    `page_referrer` String CODEC(ZSTD(1)),
    `page_urlscheme` LowCardinality(String),
    `page_urlhost` LowCardinality(String),
    `page_urlport` Nullable(Int32),
    `page_urlpath` String CODEC(ZSTD(1)),
    `page_urlquery` String CODEC(ZSTD(1)),
    `page_urlfragment` String CODEC(ZSTD(1)),
    `refr_urlscheme` LowCardinality(String),
    `refr_urlhost` LowCardinality(String),
    `refr_urlport` Nullable(Int32),
    `refr_urlpath` String CODEC(ZSTD(1)),
    `refr_urlquery` String CODEC(ZSTD(1)),
    `refr_urlfragment` String CODEC(ZSTD(1)),
    `refr_medium` LowCardinality(String),
    `refr_source` LowCardinality(String),
    `refr_term` String CODEC(ZSTD(1)),
    `mkt_medium` LowCardinality(String),
    `mkt_source` LowCardinality(String),
    `mkt_term` LowCardinality(String),
    `mkt_content` String CODEC(ZSTD(1)),
    `mkt_campaign` LowCardinality(String),
    `contexts` String CODEC(ZSTD(3)),
    `se_category` LowCardinality(String),
    `se_action` LowCardinality(String),
    `se_label` String CODEC(ZSTD(1)),
    `se_property` String CODEC(ZSTD(1)),
    `se_value` Nullable(Float64),
    `unstruct_event` String CODEC(ZSTD(3)),
    `tr_orderid` String CODEC(ZSTD(1)),
    `tr_affiliation` LowCardinality(String),
    `tr_total` Nullable(Decimal(18, 2)),
    `tr_tax` Nullable(Decimal(18, 2)),
    `tr_shipping` Nullable(Decimal(18, 2)),
    `tr_city` LowCardinality(String),
    `tr_state` LowCardinality(String),
    `tr_country` LowCardinality(String),
    `ti_orderid` String CODEC(ZSTD(1)),
    `ti_sku` String CODEC(ZSTD(1)),
    `ti_name` String CODEC(ZSTD(1)),
    `ti_category` LowCardinality(String),
    `ti_price` Nullable(Decimal(18, 2)),
    `ti_quantity` Nullable(Int32),
    `pp_xoffset_min` Nullable(Int32),
    `pp_xoffset_max` Nullable(Int32),
    `pp_yoffset_min` Nullable(Int32),
    `pp_yoffset_max` Nullable(Int32),
    `useragent` String CODEC(ZSTD(1)),
    `br_name` LowCardinality(String),
    `br_family` LowCardinality(String),
    `br_version` LowCardinality(String),
    `br_type` LowCardinality(String),
    `br_renderengine` LowCardinality(String),
    `br_lang` LowCardinality(String),
    `br_features_pdf` Nullable(Bool),
    `br_features_flash` Nullable(Bool),
    `br_features_java` Nullable(Bool),
    `br_features_director` Nullable(Bool),
    `br_features_quicktime` Nullable(Bool),
    `br_features_realplayer` Nullable(Bool),
    `br_features_windowsmedia` Nullable(Bool),
    `br_features_gears` Nullable(Bool),
    `br_features_silverlight` Nullable(Bool),
    `br_cookies` Nullable(Bool),
    `br_colordepth` LowCardinality(String),
    `br_viewwidth` Nullable(Int32),
    `br_viewheight` Nullable(Int32),
    `os_name` LowCardinality(String),
    `os_family` LowCardinality(String),
    `os_manufacturer` LowCardinality(String),
    `os_timezone` LowCardinality(String),
    `dvce_type` LowCardinality(String),
    `dvce_ismobile` Nullable(Bool),
    `dvce_screenwidth` Nullable(Int32),
    `dvce_screenheight` Nullable(Int32),
    `doc_charset` LowCardinality(String),
    `doc_width` Nullable(Int32),
    `doc_height` Nullable(Int32),
    `tr_currency` LowCardinality(String),
    `tr_total_base` Nullable(Decimal(18, 2)),
    `tr_tax_base` Nullable(Decimal(18, 2)),
    `tr_shipping_base` Nullable(Decimal(18, 2)),
    `ti_currency` LowCardinality(String),
    `ti_price_base` Nullable(Decimal(18, 2)),
    `base_currency` LowCardinality(String),
    `geo_timezone` LowCardinality(String),
    `mkt_clickid` String CODEC(ZSTD(1)),
    `mkt_network` LowCardinality(String),
    `etl_tags` LowCardinality(String),
    `dvce_sent_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `refr_domain_userid` String CODEC(ZSTD(1)),
    `refr_dvce_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `derived_contexts` String CODEC(ZSTD(3)),
    `domain_sessionid` String CODEC(ZSTD(1)),
    `derived_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `event_vendor` LowCardinality(String),
    `event_name` LowCardinality(String),
    `event_format` LowCardinality(String),
    `event_version` LowCardinality(String),
    `event_fingerprint` String CODEC(ZSTD(1)),
    `true_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `load_tstamp` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `entity_schemas` Array(LowCardinality(String)) MATERIALIZED arrayDistinct(arrayMap(x -> x.1, arrayConcat(JSONExtract(`contexts`, 'data', 'Array(Tuple(schema String))'), JSONExtract(`derived_contexts`, 'data', 'Array(Tuple(schema String))')))) COMMENT 'schemas of the entities, those of enrichments too, each once',
    INDEX event_id_index `event_id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX user_id_index `user_id` TYPE bloom_filter(0.01) GRANULARITY 2,
    INDEX domain_userid_index `domain_userid` TYPE bloom_filter(0.01) GRANULARITY 2,
    INDEX network_userid_index `network_userid` TYPE bloom_filter(0.01) GRANULARITY 2,
    INDEX collector_tstamp_index `collector_tstamp` TYPE minmax GRANULARITY 1,
    INDEX derived_tstamp_index `derived_tstamp` TYPE minmax GRANULARITY 1,
    INDEX load_tstamp_index `load_tstamp` TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', load_tstamp)
PARTITION BY toYYYYMM(collector_tstamp)
PRIMARY KEY (app_id, event_name, toDate(collector_tstamp), domain_sessionid)
ORDER BY (app_id, event_name, toDate(collector_tstamp), domain_sessionid, event_id)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, ttl_only_drop_parts = 1, min_bytes_for_wide_part = 536870912;

CREATE TABLE IF NOT EXISTS `atomic`.`events` ON CLUSTER `main` AS `atomic`.`events_local`
ENGINE = Distributed('main', 'atomic', 'events_local', cityHash64(event_id));

CREATE TABLE IF NOT EXISTS `atomic`.`failed_events_local` ON CLUSTER `main`
(
    `id` UUID CODEC(ZSTD(1)),
    `failure_type` LowCardinality(String),
    `failed_at` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `tstamp` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'when it was collected, else when it failed',
    `app_id` LowCardinality(String),
    `platform` LowCardinality(String),
    `event_id` Nullable(UUID) CODEC(ZSTD(1)),
    `event_name` LowCardinality(String),
    `tracker` LowCardinality(String),
    `collector_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `schema` LowCardinality(String),
    `message` String CODEC(ZSTD(1)),
    `record` String CODEC(ZSTD(3)) COMMENT 'the Thrift record of the request in base64',
    `event_index` Nullable(Int32),
    `bad_row` String CODEC(ZSTD(3)),
    `status` LowCardinality(String) DEFAULT 'open',
    `version` UInt64 DEFAULT 0 COMMENT 'of rows with one id the highest version counts',
    `load_tstamp` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `seed` String CODEC(ZSTD(1)),
    `cause` LowCardinality(String),
    `attempts` UInt32,
    `attempted_at` Nullable(DateTime64(3, 'UTC')),
    `attempt_message` String CODEC(ZSTD(1)),
    `recovered_at` Nullable(DateTime64(3, 'UTC')),
    `recovery_run` LowCardinality(String),
    `recovered_into` String CODEC(ZSTD(1)),
    INDEX id_index `id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX event_id_index `event_id` TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX tstamp_index `tstamp` TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
PARTITION BY toYYYYMM(tstamp)
ORDER BY (failure_type, toDate(tstamp), id)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, ttl_only_drop_parts = 1, min_bytes_for_wide_part = 536870912;

CREATE TABLE IF NOT EXISTS `atomic`.`failed_events` ON CLUSTER `main` AS `atomic`.`failed_events_local`
ENGINE = Distributed('main', 'atomic', 'failed_events_local', cityHash64(id));

CREATE TABLE IF NOT EXISTS `atomic`.`incomplete_events_local` ON CLUSTER `main`
(
    `app_id` LowCardinality(String),
    `platform` LowCardinality(String),
    `etl_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `collector_tstamp` DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `dvce_created_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `event` LowCardinality(String),
    `event_id` UUID CODEC(ZSTD(1)),
    `txn_id` Nullable(Int32),
    `name_tracker` LowCardinality(String),
    `v_tracker` LowCardinality(String),
    `v_collector` LowCardinality(String),
    `v_etl` LowCardinality(String),
    `user_id` String CODEC(ZSTD(1)),
    `user_ipaddress` String CODEC(ZSTD(1)),
    `user_fingerprint` String CODEC(ZSTD(1)),
    `domain_userid` String CODEC(ZSTD(1)),
    `domain_sessionidx` Nullable(Int32),
    `network_userid` String CODEC(ZSTD(1)),
    `geo_country` LowCardinality(String),
    `geo_region` LowCardinality(String),
    `geo_city` LowCardinality(String),
    `geo_zipcode` String CODEC(ZSTD(1)),
    `geo_latitude` Nullable(Float64),
    `geo_longitude` Nullable(Float64),
    `geo_region_name` LowCardinality(String),
    `ip_isp` LowCardinality(String),
    `ip_organization` LowCardinality(String),
    `ip_domain` LowCardinality(String),
    `ip_netspeed` LowCardinality(String),
    `page_url` String CODEC(ZSTD(1)),
    `page_title` String CODEC(ZSTD(1)),
    `page_referrer` String CODEC(ZSTD(1)),
    `page_urlscheme` LowCardinality(String),
    `page_urlhost` LowCardinality(String),
    `page_urlport` Nullable(Int32),
    `page_urlpath` String CODEC(ZSTD(1)),
    `page_urlquery` String CODEC(ZSTD(1)),
    `page_urlfragment` String CODEC(ZSTD(1)),
    `refr_urlscheme` LowCardinality(String),
    `refr_urlhost` LowCardinality(String),
    `refr_urlport` Nullable(Int32),
    `refr_urlpath` String CODEC(ZSTD(1)),
    `refr_urlquery` String CODEC(ZSTD(1)),
    `refr_urlfragment` String CODEC(ZSTD(1)),
    `refr_medium` LowCardinality(String),
    `refr_source` LowCardinality(String),
    `refr_term` String CODEC(ZSTD(1)),
    `mkt_medium` LowCardinality(String),
    `mkt_source` LowCardinality(String),
    `mkt_term` LowCardinality(String),
    `mkt_content` String CODEC(ZSTD(1)),
    `mkt_campaign` LowCardinality(String),
    `contexts` String CODEC(ZSTD(3)),
    `se_category` LowCardinality(String),
    `se_action` LowCardinality(String),
    `se_label` String CODEC(ZSTD(1)),
    `se_property` String CODEC(ZSTD(1)),
    `se_value` Nullable(Float64),
    `unstruct_event` String CODEC(ZSTD(3)),
    `tr_orderid` String CODEC(ZSTD(1)),
    `tr_affiliation` LowCardinality(String),
    `tr_total` Nullable(Decimal(18, 2)),
    `tr_tax` Nullable(Decimal(18, 2)),
    `tr_shipping` Nullable(Decimal(18, 2)),
    `tr_city` LowCardinality(String),
    `tr_state` LowCardinality(String),
    `tr_country` LowCardinality(String),
    `ti_orderid` String CODEC(ZSTD(1)),
    `ti_sku` String CODEC(ZSTD(1)),
    `ti_name` String CODEC(ZSTD(1)),
    `ti_category` LowCardinality(String),
    `ti_price` Nullable(Decimal(18, 2)),
    `ti_quantity` Nullable(Int32),
    `pp_xoffset_min` Nullable(Int32),
    `pp_xoffset_max` Nullable(Int32),
    `pp_yoffset_min` Nullable(Int32),
    `pp_yoffset_max` Nullable(Int32),
    `useragent` String CODEC(ZSTD(1)),
    `br_name` LowCardinality(String),
    `br_family` LowCardinality(String),
    `br_version` LowCardinality(String),
    `br_type` LowCardinality(String),
    `br_renderengine` LowCardinality(String),
    `br_lang` LowCardinality(String),
    `br_features_pdf` Nullable(Bool),
    `br_features_flash` Nullable(Bool),
    `br_features_java` Nullable(Bool),
    `br_features_director` Nullable(Bool),
    `br_features_quicktime` Nullable(Bool),
    `br_features_realplayer` Nullable(Bool),
    `br_features_windowsmedia` Nullable(Bool),
    `br_features_gears` Nullable(Bool),
    `br_features_silverlight` Nullable(Bool),
    `br_cookies` Nullable(Bool),
    `br_colordepth` LowCardinality(String),
    `br_viewwidth` Nullable(Int32),
    `br_viewheight` Nullable(Int32),
    `os_name` LowCardinality(String),
    `os_family` LowCardinality(String),
    `os_manufacturer` LowCardinality(String),
    `os_timezone` LowCardinality(String),
    `dvce_type` LowCardinality(String),
    `dvce_ismobile` Nullable(Bool),
    `dvce_screenwidth` Nullable(Int32),
    `dvce_screenheight` Nullable(Int32),
    `doc_charset` LowCardinality(String),
    `doc_width` Nullable(Int32),
    `doc_height` Nullable(Int32),
    `tr_currency` LowCardinality(String),
    `tr_total_base` Nullable(Decimal(18, 2)),
    `tr_tax_base` Nullable(Decimal(18, 2)),
    `tr_shipping_base` Nullable(Decimal(18, 2)),
    `ti_currency` LowCardinality(String),
    `ti_price_base` Nullable(Decimal(18, 2)),
    `base_currency` LowCardinality(String),
    `geo_timezone` LowCardinality(String),
    `mkt_clickid` String CODEC(ZSTD(1)),
    `mkt_network` LowCardinality(String),
    `etl_tags` LowCardinality(String),
    `dvce_sent_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `refr_domain_userid` String CODEC(ZSTD(1)),
    `refr_dvce_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `derived_contexts` String CODEC(ZSTD(3)),
    `domain_sessionid` String CODEC(ZSTD(1)),
    `derived_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `event_vendor` LowCardinality(String),
    `event_name` LowCardinality(String),
    `event_format` LowCardinality(String),
    `event_version` LowCardinality(String),
    `event_fingerprint` String CODEC(ZSTD(1)),
    `true_tstamp` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `load_tstamp` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    `entity_schemas` Array(LowCardinality(String)) MATERIALIZED arrayDistinct(arrayMap(x -> x.1, arrayConcat(JSONExtract(`contexts`, 'data', 'Array(Tuple(schema String))'), JSONExtract(`derived_contexts`, 'data', 'Array(Tuple(schema String))')))) COMMENT 'schemas of the entities, those of enrichments too, each once',
    INDEX event_id_index `event_id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX user_id_index `user_id` TYPE bloom_filter(0.01) GRANULARITY 2,
    INDEX domain_userid_index `domain_userid` TYPE bloom_filter(0.01) GRANULARITY 2,
    INDEX network_userid_index `network_userid` TYPE bloom_filter(0.01) GRANULARITY 2,
    INDEX collector_tstamp_index `collector_tstamp` TYPE minmax GRANULARITY 1,
    INDEX derived_tstamp_index `derived_tstamp` TYPE minmax GRANULARITY 1,
    INDEX load_tstamp_index `load_tstamp` TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', load_tstamp)
PARTITION BY toYYYYMM(collector_tstamp)
PRIMARY KEY (app_id, event_name, toDate(collector_tstamp), domain_sessionid)
ORDER BY (app_id, event_name, toDate(collector_tstamp), domain_sessionid, event_id)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, ttl_only_drop_parts = 1, min_bytes_for_wide_part = 536870912;

CREATE TABLE IF NOT EXISTS `atomic`.`incomplete_events` ON CLUSTER `main` AS `atomic`.`incomplete_events_local`
ENGINE = Distributed('main', 'atomic', 'incomplete_events_local', cityHash64(event_id));

CREATE DATABASE IF NOT EXISTS `snowplow` ON CLUSTER `main`;

CREATE OR REPLACE VIEW `snowplow`.`local` ON CLUSTER `main` AS
WITH
    JSONExtractArrayRaw(e.contexts, 'data') AS x_contexts,
    JSONExtractArrayRaw(e.derived_contexts, 'data') AS x_derived,
    JSONExtractRaw(e.unstruct_event, 'data', 'data') AS x_event_data,
    JSONExtractString(e.unstruct_event, 'data', 'schema') AS x_event_schema,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/client_session/'), x_contexts), 'data') AS x_session,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/mobile_context/'), x_contexts), 'data') AS x_mobile,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/screen/'), x_contexts), 'data') AS x_screen,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.snowplow.simple/screen_data/'), x_contexts), 'data') AS x_screen_data,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/browser_context/'), x_contexts), 'data') AS x_browser_context,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:org.ietf/http_client_hints/'), x_contexts), 'data') AS x_hints,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/ua_parser_context/'), x_derived), 'data') AS x_ua,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:nl.basjes/yauaa_context/'), x_derived), 'data') AS x_yauaa,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.iab.snowplow/spiders_and_robots/'), x_derived), 'data') AS x_spiders,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/application/'), x_contexts), 'data') AS x_application,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.amp.snowplow/amp_session/'), x_contexts), 'data') AS x_amp_session,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.amp.snowplow/amp_id/'), x_contexts), 'data') AS x_amp_id,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.amp.snowplow/amp_web_page/'), x_contexts), 'data') AS x_amp_web_page,
    (startsWith(x_event_schema, 'iglu:com.snowplowanalytics.mobile/screen_view/') OR startsWith(x_event_schema, 'iglu:com.snowplowanalytics.snowplow/screen_view/')) AS x_screen_view,
    startsWith(x_event_schema, 'iglu:dev.snowplow.simple/u2s_data/') AS x_u2s,
    multiIf(x_screen_view, 'page_view', x_u2s, 'struct', startsWith(x_event_schema, 'iglu:dev.amp.snowplow/amp_page_ping/'), 'page_ping', toString(e.event)) AS x_event,
    if(x_screen_view, replaceRegexpOne(JSONExtractString(x_event_data, 'previousName'), '^Unknown$', ''), decodeURLComponent(e.page_referrer)) AS x_referer,
    multiIf(notEmpty(e.domain_userid), e.domain_userid, notEmpty(JSONExtractString(x_session, 'userId')), JSONExtractString(x_session, 'userId'), notEmpty(JSONExtractString(x_amp_session, 'domainUserid')), JSONExtractString(x_amp_session, 'domainUserid'), notEmpty(JSONExtractString(x_amp_id, 'domainUserid')), JSONExtractString(x_amp_id, 'domainUserid'), JSONExtractString(x_amp_web_page, 'domainUserid')) AS x_device,
    multiIf(notEmpty(e.domain_sessionid), e.domain_sessionid, JSONExtractString(x_session, 'sessionId')) AS x_session_id,
    splitByChar('*', extractURLParameter(e.page_url, 'sp_amp_linker'))[4] AS x_linker,
    JSONExtractString(x_yauaa, 'deviceClass') AS x_agent_class,
    multiIf(notEmpty(x_mobile), true, JSONHas(x_hints, 'isMobile'), JSONExtractBool(x_hints, 'isMobile'), x_agent_class IN ('Phone', 'Mobile'), true, ifNull(e.dvce_ismobile, false)) AS x_is_mobile,
    (x_agent_class = 'Tablet' OR e.dvce_type = 'Tablet') AS x_is_tablet,
    if(x_u2s, multiIf(notEmpty(JSONExtractString(x_event_data, 'property')), JSONExtractString(x_event_data, 'property'), JSONExtractString(x_event_data, 'se_property')), e.se_property) AS x_se_property,
    arrayConcat(JSONExtractKeysAndValuesRaw(JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.acme/static_context/'), x_contexts), 'data')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), arrayFilter(p -> notEmpty(p.2), [(toJSONString('performance_timing'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:org.w3/PerformanceTiming/'), x_contexts), 'data')), (toJSONString('client_hints'), x_hints), (toJSONString('ga_cookies'), multiIf(notEmpty(JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.google.ga4/cookies/'), x_contexts), 'data')), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.google.ga4/cookies/'), x_contexts), 'data'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.google.analytics/cookies/'), x_contexts), 'data')))])), ','), '}'))) AS x_extra_pairs,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('sessionIndex', 'sessionId', 'userId', 'eventIndex', 'firstEventTimestamp', 'previousSessionId', 'firstEventId', 'storageMechanism'), JSONExtractKeysAndValuesRaw(x_session))), ','), '}') AS x_session_text,
    arrayConcat(JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('domainUserid'), JSONExtractKeysAndValuesRaw(x_amp_session))), ','), '}')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('domainUserid'), JSONExtractKeysAndValuesRaw(x_amp_id))), ','), '}')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('domainUserid'), JSONExtractKeysAndValuesRaw(x_amp_web_page))), ','), '}')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), arrayFilter(p -> notEmpty(p.2), [(toJSONString('device_id'), if(empty(x_linker), '', toJSONString(tryBase64Decode(x_linker))))])), ','), '}'))) AS x_amp_pairs,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter((p, i) -> NOT has(arraySlice(arrayMap(p -> p.1, x_amp_pairs), i + 1), p.1), x_amp_pairs, arrayEnumerate(x_amp_pairs))), ','), '}') AS x_amp_text,
    arrayConcat(JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('name', 'id'), JSONExtractKeysAndValuesRaw(x_screen))), ','), '}')), JSONExtractKeysAndValuesRaw(if(x_screen_view, concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('name', 'id', 'previousName'), JSONExtractKeysAndValuesRaw(x_event_data))), ','), '}'), '')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('screen_name'), JSONExtractKeysAndValuesRaw(x_screen_data))), ','), '}'))) AS x_screen_pairs,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter((p, i) -> NOT has(arraySlice(arrayMap(p -> p.1, x_screen_pairs), i + 1), p.1), x_screen_pairs, arrayEnumerate(x_screen_pairs))), ','), '}') AS x_screen_text,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.snowplow.simple/page_data/'), x_contexts), 'data') AS x_page_data_text,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.snowplow.simple/user_data/'), x_contexts), 'data') AS x_user_data_text,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/geolocation_context/'), x_contexts), 'data') AS x_geolocation_text,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('resolution', 'viewport', 'documentSize'), JSONExtractKeysAndValuesRaw(x_browser_context))), ','), '}') AS x_browser_text,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('deviceManufacturer', 'deviceModel', 'osType', 'osVersion'), JSONExtractKeysAndValuesRaw(x_mobile))), ','), '}') AS x_device_text,
    multiIf(startsWith(x_se_property, '{') AND isValidJSON(x_se_property), x_se_property, empty(x_se_property), '{}', concat('{"ex-property":', toJSONString(x_se_property), '}')) AS x_property_text,
    concat('{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), arrayFilter(p -> notEmpty(p.2), [((toJSONString(splitByChar('/', x_event_schema)[2])), if(x_u2s OR x_screen_view, '', x_event_data)), (toJSONString('page_ping'), if(ifNull(e.pp_xoffset_min, 0) != 0 OR ifNull(e.pp_xoffset_max, 0) != 0 OR ifNull(e.pp_yoffset_min, 0) != 0 OR ifNull(e.pp_yoffset_max, 0) != 0, concat('{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), arrayFilter(p -> notEmpty(p.2), [(toJSONString('min_x'), toString(ifNull(e.pp_xoffset_min, 0))), (toJSONString('max_x'), toString(ifNull(e.pp_xoffset_max, 0))), (toJSONString('min_y'), toString(ifNull(e.pp_yoffset_min, 0))), (toJSONString('max_y'), toString(ifNull(e.pp_yoffset_max, 0)))])), ','), '}'), '')), (toJSONString('ad_data'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.snowplow.simple/ad_data/'), x_contexts), 'data')), (toJSONString('screen_summary'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/screen_summary/'), x_contexts), 'data')), (toJSONString('app_lifecycle'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/application_lifecycle/'), x_contexts), 'data')), (toJSONString('message_notification'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/message_notification/'), x_contexts), 'data')), (toJSONString('deep_link'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/deep_link/'), x_contexts), 'data')), (toJSONString('deep_link_received'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/deep_link_received/'), x_contexts), 'data')), (toJSONString('install_referrer'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.android.installreferrer.api/referrer_details/'), x_contexts), 'data')), (toJSONString('performance_navigation_timing'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:org.w3/PerformanceNavigationTiming/'), x_contexts), 'data'))])), ','), '}') AS x_unstructured_text,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter((p, i) -> NOT has(arraySlice(arrayMap(p -> p.1, x_extra_pairs), i + 1), p.1), x_extra_pairs, arrayEnumerate(x_extra_pairs))), ','), '}') AS x_extra_text
SELECT
    if(e.app_id = 'undefined', 'other', e.app_id) AS app_id,
    CAST(transform(e.platform, ['web', 'mob', 'pc', 'srv', 'app', 'tv', 'cnsl', 'iot'], ['web', 'mob', 'pc', 'srv', 'app', 'tv', 'cnsl', 'iot'], 'app'), 'Enum8(\'web\' = 1, \'mob\' = 2, \'pc\' = 3, \'srv\' = 4, \'app\' = 5, \'tv\' = 6, \'cnsl\' = 7, \'iot\' = 8)') AS platform,
    CAST(tuple(JSONExtractString(x_application, 'version'), JSONExtractString(x_application, 'build')), 'Tuple(version LowCardinality(String), build LowCardinality(String))') AS app_info,
    multiIf(x_screen_view, JSONExtractString(x_event_data, 'name'), notEmpty(e.page_url), decodeURLComponent(e.page_url), multiIf(notEmpty(JSONExtractString(x_screen, 'name')), JSONExtractString(x_screen, 'name'), JSONExtractString(x_screen_data, 'screen_name'))) AS page,
    x_referer AS referer,
    x_referer AS refr,
    x_event AS event_type,
    transform(x_event, ['page_view', 'page_ping', 'unstruct', 'struct', 'transaction', 'transaction_item'], ['pv', 'pp', 'ue', 'se', 'tr', 'ti'], 'ue') AS event_code,
    e.event_id AS event_id,
    toUUIDOrZero(multiIf(notEmpty(JSONExtractString(JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/web_page/'), x_contexts), 'data'), 'id')), JSONExtractString(JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/web_page/'), x_contexts), 'data'), 'id'), notEmpty(if(x_screen_view, JSONExtractString(x_event_data, 'id'), '')), if(x_screen_view, JSONExtractString(x_event_data, 'id'), ''), JSONExtractString(x_screen, 'id'))) AS view_id,
    toUUIDOrZero(x_session_id) AS session_id,
    x_session_id AS session_id_text,
    toUInt64(greatest(ifNull(e.domain_sessionidx, JSONExtractInt(x_session, 'sessionIndex')), 0)) AS visit_count,
    CAST(tuple(JSONExtractUInt(x_session, 'eventIndex'), toUUIDOrZero(JSONExtractString(x_session, 'previousSessionId')), toUUIDOrZero(JSONExtractString(x_session, 'firstEventId')), ifNull(parseDateTime64BestEffortOrNull(JSONExtractString(x_session, 'firstEventTimestamp'), 3, 'UTC'), toDateTime64(0, 3, 'UTC')), JSONExtractString(x_session, 'storageMechanism'), accurateCastOrDefault(if(startsWith(x_session_text, '{'), x_session_text, '{}'), 'JSON')), 'Tuple(event_index UInt64, previous_session_id UUID, first_event_id UUID, first_event_time DateTime64(3, \'UTC\'), storage_mechanism LowCardinality(String), unstructured JSON)') AS session,
    accurateCastOrDefault(if(startsWith(x_amp_text, '{'), x_amp_text, '{}'), 'JSON') AS amp,
    toUUIDOrZero(x_device) AS device_id,
    x_device AS device_id_text,
    e.user_id AS user_id,
    ifNull(e.dvce_created_tstamp, e.collector_tstamp) AS time,
    CAST(tuple(e.collector_tstamp, ifNull(e.dvce_sent_tstamp, toDateTime64(0, 3, 'UTC'))), 'Tuple(received DateTime64(3, \'UTC\'), sent DateTime64(3, \'UTC\'))') AS time_extra,
    e.os_timezone AS timezone,
    e.page_title AS title,
    accurateCastOrDefault(if(startsWith(x_screen_text, '{'), x_screen_text, '{}'), 'JSON') AS screen,
    accurateCastOrDefault(if(startsWith(x_page_data_text, '{'), x_page_data_text, '{}'), 'JSON') AS page_data,
    accurateCastOrDefault(if(startsWith(x_user_data_text, '{'), x_user_data_text, '{}'), 'JSON') AS user_data,
    toIPv4OrDefault(e.user_ipaddress) AS user_ip,
    e.user_ipaddress AS user_ip_text,
    accurateCastOrDefault(if(startsWith(x_geolocation_text, '{'), x_geolocation_text, '{}'), 'JSON') AS geolocation,
    e.useragent AS user_agent,
    CAST(tuple(multiIf(notEmpty(JSONExtractString(x_ua, 'useragentFamily')), JSONExtractString(x_ua, 'useragentFamily'), notEmpty(JSONExtractString(x_yauaa, 'agentName')), JSONExtractString(x_yauaa, 'agentName'), e.br_family), multiIf(notEmpty(arrayStringConcat(arrayFilter(x -> notEmpty(x), [JSONExtractString(x_ua, 'useragentMajor'), JSONExtractString(x_ua, 'useragentMinor'), JSONExtractString(x_ua, 'useragentPatch')]), '.')), arrayStringConcat(arrayFilter(x -> notEmpty(x), [JSONExtractString(x_ua, 'useragentMajor'), JSONExtractString(x_ua, 'useragentMinor'), JSONExtractString(x_ua, 'useragentPatch')]), '.'), notEmpty(JSONExtractString(x_yauaa, 'agentVersion')), JSONExtractString(x_yauaa, 'agentVersion'), e.br_version), accurateCastOrDefault(if(startsWith(x_browser_text, '{'), x_browser_text, '{}'), 'JSON')), 'Tuple(family LowCardinality(String), version String, extra JSON)') AS browser,
    CAST(tuple(multiIf(notEmpty(JSONExtractString(x_mobile, 'osType')), JSONExtractString(x_mobile, 'osType'), notEmpty(JSONExtractString(x_ua, 'osFamily')), JSONExtractString(x_ua, 'osFamily'), notEmpty(JSONExtractString(x_yauaa, 'operatingSystemName')), JSONExtractString(x_yauaa, 'operatingSystemName'), e.os_family), multiIf(notEmpty(JSONExtractString(x_mobile, 'osVersion')), JSONExtractString(x_mobile, 'osVersion'), notEmpty(arrayStringConcat(arrayFilter(x -> notEmpty(x), [JSONExtractString(x_ua, 'osMajor'), JSONExtractString(x_ua, 'osMinor'), JSONExtractString(x_ua, 'osPatch')]), '.')), arrayStringConcat(arrayFilter(x -> notEmpty(x), [JSONExtractString(x_ua, 'osMajor'), JSONExtractString(x_ua, 'osMinor'), JSONExtractString(x_ua, 'osPatch')]), '.'), notEmpty(JSONExtractString(x_yauaa, 'operatingSystemVersion')), JSONExtractString(x_yauaa, 'operatingSystemVersion'), ''), e.br_lang), 'Tuple(family LowCardinality(String), version LowCardinality(String), language LowCardinality(String))') AS os,
    CAST(tuple(multiIf(notEmpty(JSONExtractString(x_mobile, 'deviceManufacturer')), JSONExtractString(x_mobile, 'deviceManufacturer'), notEmpty(JSONExtractString(x_yauaa, 'deviceBrand')), JSONExtractString(x_yauaa, 'deviceBrand'), ''), multiIf(notEmpty(JSONExtractString(x_mobile, 'deviceModel')), JSONExtractString(x_mobile, 'deviceModel'), notEmpty(JSONExtractString(x_yauaa, 'deviceName')), JSONExtractString(x_yauaa, 'deviceName'), notEmpty(JSONExtractString(x_ua, 'deviceFamily')), JSONExtractString(x_ua, 'deviceFamily'), e.dvce_type), accurateCastOrDefault(if(startsWith(x_device_text, '{'), x_device_text, '{}'), 'JSON')), 'Tuple(brand LowCardinality(String), model LowCardinality(String), extra JSON)') AS device,
    CAST(tuple(x_is_mobile, x_is_tablet, (x_is_mobile OR x_is_tablet), multiIf(notEmpty(x_mobile), false, JSONHas(x_hints, 'isMobile'), NOT JSONExtractBool(x_hints, 'isMobile'), x_agent_class = 'Desktop' OR e.dvce_type = 'Computer'), (x_agent_class IN ('Robot', 'Robot Mobile', 'Robot Imitator', 'Spy', 'Hacker') OR JSONExtractBool(x_spiders, 'spiderOrRobot'))), 'Tuple(mobile Bool, tablet Bool, touch Bool, pc Bool, bot Bool)') AS device_is,
    CAST(tuple(multiIf(notEmpty(if(e.dvce_screenwidth IS NULL, '', concat(toString(e.dvce_screenwidth), 'x', toString(e.dvce_screenheight)))), if(e.dvce_screenwidth IS NULL, '', concat(toString(e.dvce_screenwidth), 'x', toString(e.dvce_screenheight))), JSONExtractString(x_browser_context, 'resolution')), multiIf(notEmpty(if(e.br_viewwidth IS NULL, '', concat(toString(e.br_viewwidth), 'x', toString(e.br_viewheight)))), if(e.br_viewwidth IS NULL, '', concat(toString(e.br_viewwidth), 'x', toString(e.br_viewheight))), JSONExtractString(x_browser_context, 'viewport')), multiIf(notEmpty(if(e.doc_width IS NULL, '', concat(toString(e.doc_width), 'x', toString(e.doc_height)))), if(e.doc_width IS NULL, '', concat(toString(e.doc_width), 'x', toString(e.doc_height))), JSONExtractString(x_browser_context, 'documentSize'))), 'Tuple(browser String, viewport String, page String)') AS resolution,
    CAST(tuple(if(x_u2s, multiIf(notEmpty(JSONExtractString(x_event_data, 'action')), JSONExtractString(x_event_data, 'action'), JSONExtractString(x_event_data, 'se_action')), e.se_action), if(x_u2s, multiIf(notEmpty(JSONExtractString(x_event_data, 'category')), JSONExtractString(x_event_data, 'category'), JSONExtractString(x_event_data, 'se_category')), e.se_category), if(x_u2s, multiIf(notEmpty(JSONExtractString(x_event_data, 'label')), JSONExtractString(x_event_data, 'label'), JSONExtractString(x_event_data, 'se_label')), e.se_label), accurateCastOrDefault(if(startsWith(x_property_text, '{'), x_property_text, '{}'), 'JSON'), if(x_u2s, toFloat32OrZero(replaceAll(multiIf(notEmpty(JSONExtractRaw(x_event_data, 'value')), JSONExtractRaw(x_event_data, 'value'), JSONExtractRaw(x_event_data, 'se_value')), '"', '')), toFloat32(ifNull(e.se_value, 0))), accurateCastOrDefault(if(startsWith(x_unstructured_text, '{'), x_unstructured_text, '{}'), 'JSON')), 'Tuple(action LowCardinality(String), category LowCardinality(String), label String, property JSON, value Float32, unstructured JSON)') AS event,
    accurateCastOrDefault(if(startsWith(x_extra_text, '{'), x_extra_text, '{}'), 'JSON') AS extra,
    CAST(tuple(e.v_tracker, e.name_tracker), 'Tuple(version LowCardinality(String), namespace LowCardinality(String))') AS tracker,
    if(e.platform = 'mob', e.name_tracker, e.app_id) AS app
FROM `atomic`.`events` AS e
COMMENT 'of Snowgauge, 18970215c4926afa';

CREATE OR REPLACE VIEW `snowplow`.`distributed` ON CLUSTER `main` AS
WITH
    JSONExtractArrayRaw(e.contexts, 'data') AS x_contexts,
    JSONExtractArrayRaw(e.derived_contexts, 'data') AS x_derived,
    JSONExtractRaw(e.unstruct_event, 'data', 'data') AS x_event_data,
    JSONExtractString(e.unstruct_event, 'data', 'schema') AS x_event_schema,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/client_session/'), x_contexts), 'data') AS x_session,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/mobile_context/'), x_contexts), 'data') AS x_mobile,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/screen/'), x_contexts), 'data') AS x_screen,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.snowplow.simple/screen_data/'), x_contexts), 'data') AS x_screen_data,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/browser_context/'), x_contexts), 'data') AS x_browser_context,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:org.ietf/http_client_hints/'), x_contexts), 'data') AS x_hints,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/ua_parser_context/'), x_derived), 'data') AS x_ua,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:nl.basjes/yauaa_context/'), x_derived), 'data') AS x_yauaa,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.iab.snowplow/spiders_and_robots/'), x_derived), 'data') AS x_spiders,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/application/'), x_contexts), 'data') AS x_application,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.amp.snowplow/amp_session/'), x_contexts), 'data') AS x_amp_session,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.amp.snowplow/amp_id/'), x_contexts), 'data') AS x_amp_id,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.amp.snowplow/amp_web_page/'), x_contexts), 'data') AS x_amp_web_page,
    (startsWith(x_event_schema, 'iglu:com.snowplowanalytics.mobile/screen_view/') OR startsWith(x_event_schema, 'iglu:com.snowplowanalytics.snowplow/screen_view/')) AS x_screen_view,
    startsWith(x_event_schema, 'iglu:dev.snowplow.simple/u2s_data/') AS x_u2s,
    multiIf(x_screen_view, 'page_view', x_u2s, 'struct', startsWith(x_event_schema, 'iglu:dev.amp.snowplow/amp_page_ping/'), 'page_ping', toString(e.event)) AS x_event,
    if(x_screen_view, replaceRegexpOne(JSONExtractString(x_event_data, 'previousName'), '^Unknown$', ''), decodeURLComponent(e.page_referrer)) AS x_referer,
    multiIf(notEmpty(e.domain_userid), e.domain_userid, notEmpty(JSONExtractString(x_session, 'userId')), JSONExtractString(x_session, 'userId'), notEmpty(JSONExtractString(x_amp_session, 'domainUserid')), JSONExtractString(x_amp_session, 'domainUserid'), notEmpty(JSONExtractString(x_amp_id, 'domainUserid')), JSONExtractString(x_amp_id, 'domainUserid'), JSONExtractString(x_amp_web_page, 'domainUserid')) AS x_device,
    multiIf(notEmpty(e.domain_sessionid), e.domain_sessionid, JSONExtractString(x_session, 'sessionId')) AS x_session_id,
    splitByChar('*', extractURLParameter(e.page_url, 'sp_amp_linker'))[4] AS x_linker,
    JSONExtractString(x_yauaa, 'deviceClass') AS x_agent_class,
    multiIf(notEmpty(x_mobile), true, JSONHas(x_hints, 'isMobile'), JSONExtractBool(x_hints, 'isMobile'), x_agent_class IN ('Phone', 'Mobile'), true, ifNull(e.dvce_ismobile, false)) AS x_is_mobile,
    (x_agent_class = 'Tablet' OR e.dvce_type = 'Tablet') AS x_is_tablet,
    if(x_u2s, multiIf(notEmpty(JSONExtractString(x_event_data, 'property')), JSONExtractString(x_event_data, 'property'), JSONExtractString(x_event_data, 'se_property')), e.se_property) AS x_se_property,
    arrayConcat(JSONExtractKeysAndValuesRaw(JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.acme/static_context/'), x_contexts), 'data')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), arrayFilter(p -> notEmpty(p.2), [(toJSONString('performance_timing'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:org.w3/PerformanceTiming/'), x_contexts), 'data')), (toJSONString('client_hints'), x_hints), (toJSONString('ga_cookies'), multiIf(notEmpty(JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.google.ga4/cookies/'), x_contexts), 'data')), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.google.ga4/cookies/'), x_contexts), 'data'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.google.analytics/cookies/'), x_contexts), 'data')))])), ','), '}'))) AS x_extra_pairs,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('sessionIndex', 'sessionId', 'userId', 'eventIndex', 'firstEventTimestamp', 'previousSessionId', 'firstEventId', 'storageMechanism'), JSONExtractKeysAndValuesRaw(x_session))), ','), '}') AS x_session_text,
    arrayConcat(JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('domainUserid'), JSONExtractKeysAndValuesRaw(x_amp_session))), ','), '}')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('domainUserid'), JSONExtractKeysAndValuesRaw(x_amp_id))), ','), '}')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('domainUserid'), JSONExtractKeysAndValuesRaw(x_amp_web_page))), ','), '}')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), arrayFilter(p -> notEmpty(p.2), [(toJSONString('device_id'), if(empty(x_linker), '', toJSONString(tryBase64Decode(x_linker))))])), ','), '}'))) AS x_amp_pairs,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter((p, i) -> NOT has(arraySlice(arrayMap(p -> p.1, x_amp_pairs), i + 1), p.1), x_amp_pairs, arrayEnumerate(x_amp_pairs))), ','), '}') AS x_amp_text,
    arrayConcat(JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('name', 'id'), JSONExtractKeysAndValuesRaw(x_screen))), ','), '}')), JSONExtractKeysAndValuesRaw(if(x_screen_view, concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('name', 'id', 'previousName'), JSONExtractKeysAndValuesRaw(x_event_data))), ','), '}'), '')), JSONExtractKeysAndValuesRaw(concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('screen_name'), JSONExtractKeysAndValuesRaw(x_screen_data))), ','), '}'))) AS x_screen_pairs,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter((p, i) -> NOT has(arraySlice(arrayMap(p -> p.1, x_screen_pairs), i + 1), p.1), x_screen_pairs, arrayEnumerate(x_screen_pairs))), ','), '}') AS x_screen_text,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.snowplow.simple/page_data/'), x_contexts), 'data') AS x_page_data_text,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.snowplow.simple/user_data/'), x_contexts), 'data') AS x_user_data_text,
    JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/geolocation_context/'), x_contexts), 'data') AS x_geolocation_text,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('resolution', 'viewport', 'documentSize'), JSONExtractKeysAndValuesRaw(x_browser_context))), ','), '}') AS x_browser_text,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter(p -> p.1 NOT IN ('deviceManufacturer', 'deviceModel', 'osType', 'osVersion'), JSONExtractKeysAndValuesRaw(x_mobile))), ','), '}') AS x_device_text,
    multiIf(startsWith(x_se_property, '{') AND isValidJSON(x_se_property), x_se_property, empty(x_se_property), '{}', concat('{"ex-property":', toJSONString(x_se_property), '}')) AS x_property_text,
    concat('{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), arrayFilter(p -> notEmpty(p.2), [((toJSONString(splitByChar('/', x_event_schema)[2])), if(x_u2s OR x_screen_view, '', x_event_data)), (toJSONString('page_ping'), if(ifNull(e.pp_xoffset_min, 0) != 0 OR ifNull(e.pp_xoffset_max, 0) != 0 OR ifNull(e.pp_yoffset_min, 0) != 0 OR ifNull(e.pp_yoffset_max, 0) != 0, concat('{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), arrayFilter(p -> notEmpty(p.2), [(toJSONString('min_x'), toString(ifNull(e.pp_xoffset_min, 0))), (toJSONString('max_x'), toString(ifNull(e.pp_xoffset_max, 0))), (toJSONString('min_y'), toString(ifNull(e.pp_yoffset_min, 0))), (toJSONString('max_y'), toString(ifNull(e.pp_yoffset_max, 0)))])), ','), '}'), '')), (toJSONString('ad_data'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:dev.snowplow.simple/ad_data/'), x_contexts), 'data')), (toJSONString('screen_summary'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/screen_summary/'), x_contexts), 'data')), (toJSONString('app_lifecycle'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/application_lifecycle/'), x_contexts), 'data')), (toJSONString('message_notification'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/message_notification/'), x_contexts), 'data')), (toJSONString('deep_link'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/deep_link/'), x_contexts), 'data')), (toJSONString('deep_link_received'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.mobile/deep_link_received/'), x_contexts), 'data')), (toJSONString('install_referrer'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.android.installreferrer.api/referrer_details/'), x_contexts), 'data')), (toJSONString('performance_navigation_timing'), JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:org.w3/PerformanceNavigationTiming/'), x_contexts), 'data'))])), ','), '}') AS x_unstructured_text,
    concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arrayFilter((p, i) -> NOT has(arraySlice(arrayMap(p -> p.1, x_extra_pairs), i + 1), p.1), x_extra_pairs, arrayEnumerate(x_extra_pairs))), ','), '}') AS x_extra_text
SELECT
    if(e.app_id = 'undefined', 'other', e.app_id) AS app_id,
    CAST(transform(e.platform, ['web', 'mob', 'pc', 'srv', 'app', 'tv', 'cnsl', 'iot'], ['web', 'mob', 'pc', 'srv', 'app', 'tv', 'cnsl', 'iot'], 'app'), 'Enum8(\'web\' = 1, \'mob\' = 2, \'pc\' = 3, \'srv\' = 4, \'app\' = 5, \'tv\' = 6, \'cnsl\' = 7, \'iot\' = 8)') AS platform,
    CAST(tuple(JSONExtractString(x_application, 'version'), JSONExtractString(x_application, 'build')), 'Tuple(version LowCardinality(String), build LowCardinality(String))') AS app_info,
    multiIf(x_screen_view, JSONExtractString(x_event_data, 'name'), notEmpty(e.page_url), decodeURLComponent(e.page_url), multiIf(notEmpty(JSONExtractString(x_screen, 'name')), JSONExtractString(x_screen, 'name'), JSONExtractString(x_screen_data, 'screen_name'))) AS page,
    x_referer AS referer,
    x_referer AS refr,
    x_event AS event_type,
    transform(x_event, ['page_view', 'page_ping', 'unstruct', 'struct', 'transaction', 'transaction_item'], ['pv', 'pp', 'ue', 'se', 'tr', 'ti'], 'ue') AS event_code,
    e.event_id AS event_id,
    toUUIDOrZero(multiIf(notEmpty(JSONExtractString(JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/web_page/'), x_contexts), 'data'), 'id')), JSONExtractString(JSONExtractRaw(arrayFirst(x -> startsWith(JSONExtractString(x, 'schema'), 'iglu:com.snowplowanalytics.snowplow/web_page/'), x_contexts), 'data'), 'id'), notEmpty(if(x_screen_view, JSONExtractString(x_event_data, 'id'), '')), if(x_screen_view, JSONExtractString(x_event_data, 'id'), ''), JSONExtractString(x_screen, 'id'))) AS view_id,
    toUUIDOrZero(x_session_id) AS session_id,
    x_session_id AS session_id_text,
    toUInt64(greatest(ifNull(e.domain_sessionidx, JSONExtractInt(x_session, 'sessionIndex')), 0)) AS visit_count,
    CAST(tuple(JSONExtractUInt(x_session, 'eventIndex'), toUUIDOrZero(JSONExtractString(x_session, 'previousSessionId')), toUUIDOrZero(JSONExtractString(x_session, 'firstEventId')), ifNull(parseDateTime64BestEffortOrNull(JSONExtractString(x_session, 'firstEventTimestamp'), 3, 'UTC'), toDateTime64(0, 3, 'UTC')), JSONExtractString(x_session, 'storageMechanism'), accurateCastOrDefault(if(startsWith(x_session_text, '{'), x_session_text, '{}'), 'JSON')), 'Tuple(event_index UInt64, previous_session_id UUID, first_event_id UUID, first_event_time DateTime64(3, \'UTC\'), storage_mechanism LowCardinality(String), unstructured JSON)') AS session,
    accurateCastOrDefault(if(startsWith(x_amp_text, '{'), x_amp_text, '{}'), 'JSON') AS amp,
    toUUIDOrZero(x_device) AS device_id,
    x_device AS device_id_text,
    e.user_id AS user_id,
    ifNull(e.dvce_created_tstamp, e.collector_tstamp) AS time,
    CAST(tuple(e.collector_tstamp, ifNull(e.dvce_sent_tstamp, toDateTime64(0, 3, 'UTC'))), 'Tuple(received DateTime64(3, \'UTC\'), sent DateTime64(3, \'UTC\'))') AS time_extra,
    e.os_timezone AS timezone,
    e.page_title AS title,
    accurateCastOrDefault(if(startsWith(x_screen_text, '{'), x_screen_text, '{}'), 'JSON') AS screen,
    accurateCastOrDefault(if(startsWith(x_page_data_text, '{'), x_page_data_text, '{}'), 'JSON') AS page_data,
    accurateCastOrDefault(if(startsWith(x_user_data_text, '{'), x_user_data_text, '{}'), 'JSON') AS user_data,
    toIPv4OrDefault(e.user_ipaddress) AS user_ip,
    e.user_ipaddress AS user_ip_text,
    accurateCastOrDefault(if(startsWith(x_geolocation_text, '{'), x_geolocation_text, '{}'), 'JSON') AS geolocation,
    e.useragent AS user_agent,
    CAST(tuple(multiIf(notEmpty(JSONExtractString(x_ua, 'useragentFamily')), JSONExtractString(x_ua, 'useragentFamily'), notEmpty(JSONExtractString(x_yauaa, 'agentName')), JSONExtractString(x_yauaa, 'agentName'), e.br_family), multiIf(notEmpty(arrayStringConcat(arrayFilter(x -> notEmpty(x), [JSONExtractString(x_ua, 'useragentMajor'), JSONExtractString(x_ua, 'useragentMinor'), JSONExtractString(x_ua, 'useragentPatch')]), '.')), arrayStringConcat(arrayFilter(x -> notEmpty(x), [JSONExtractString(x_ua, 'useragentMajor'), JSONExtractString(x_ua, 'useragentMinor'), JSONExtractString(x_ua, 'useragentPatch')]), '.'), notEmpty(JSONExtractString(x_yauaa, 'agentVersion')), JSONExtractString(x_yauaa, 'agentVersion'), e.br_version), accurateCastOrDefault(if(startsWith(x_browser_text, '{'), x_browser_text, '{}'), 'JSON')), 'Tuple(family LowCardinality(String), version String, extra JSON)') AS browser,
    CAST(tuple(multiIf(notEmpty(JSONExtractString(x_mobile, 'osType')), JSONExtractString(x_mobile, 'osType'), notEmpty(JSONExtractString(x_ua, 'osFamily')), JSONExtractString(x_ua, 'osFamily'), notEmpty(JSONExtractString(x_yauaa, 'operatingSystemName')), JSONExtractString(x_yauaa, 'operatingSystemName'), e.os_family), multiIf(notEmpty(JSONExtractString(x_mobile, 'osVersion')), JSONExtractString(x_mobile, 'osVersion'), notEmpty(arrayStringConcat(arrayFilter(x -> notEmpty(x), [JSONExtractString(x_ua, 'osMajor'), JSONExtractString(x_ua, 'osMinor'), JSONExtractString(x_ua, 'osPatch')]), '.')), arrayStringConcat(arrayFilter(x -> notEmpty(x), [JSONExtractString(x_ua, 'osMajor'), JSONExtractString(x_ua, 'osMinor'), JSONExtractString(x_ua, 'osPatch')]), '.'), notEmpty(JSONExtractString(x_yauaa, 'operatingSystemVersion')), JSONExtractString(x_yauaa, 'operatingSystemVersion'), ''), e.br_lang), 'Tuple(family LowCardinality(String), version LowCardinality(String), language LowCardinality(String))') AS os,
    CAST(tuple(multiIf(notEmpty(JSONExtractString(x_mobile, 'deviceManufacturer')), JSONExtractString(x_mobile, 'deviceManufacturer'), notEmpty(JSONExtractString(x_yauaa, 'deviceBrand')), JSONExtractString(x_yauaa, 'deviceBrand'), ''), multiIf(notEmpty(JSONExtractString(x_mobile, 'deviceModel')), JSONExtractString(x_mobile, 'deviceModel'), notEmpty(JSONExtractString(x_yauaa, 'deviceName')), JSONExtractString(x_yauaa, 'deviceName'), notEmpty(JSONExtractString(x_ua, 'deviceFamily')), JSONExtractString(x_ua, 'deviceFamily'), e.dvce_type), accurateCastOrDefault(if(startsWith(x_device_text, '{'), x_device_text, '{}'), 'JSON')), 'Tuple(brand LowCardinality(String), model LowCardinality(String), extra JSON)') AS device,
    CAST(tuple(x_is_mobile, x_is_tablet, (x_is_mobile OR x_is_tablet), multiIf(notEmpty(x_mobile), false, JSONHas(x_hints, 'isMobile'), NOT JSONExtractBool(x_hints, 'isMobile'), x_agent_class = 'Desktop' OR e.dvce_type = 'Computer'), (x_agent_class IN ('Robot', 'Robot Mobile', 'Robot Imitator', 'Spy', 'Hacker') OR JSONExtractBool(x_spiders, 'spiderOrRobot'))), 'Tuple(mobile Bool, tablet Bool, touch Bool, pc Bool, bot Bool)') AS device_is,
    CAST(tuple(multiIf(notEmpty(if(e.dvce_screenwidth IS NULL, '', concat(toString(e.dvce_screenwidth), 'x', toString(e.dvce_screenheight)))), if(e.dvce_screenwidth IS NULL, '', concat(toString(e.dvce_screenwidth), 'x', toString(e.dvce_screenheight))), JSONExtractString(x_browser_context, 'resolution')), multiIf(notEmpty(if(e.br_viewwidth IS NULL, '', concat(toString(e.br_viewwidth), 'x', toString(e.br_viewheight)))), if(e.br_viewwidth IS NULL, '', concat(toString(e.br_viewwidth), 'x', toString(e.br_viewheight))), JSONExtractString(x_browser_context, 'viewport')), multiIf(notEmpty(if(e.doc_width IS NULL, '', concat(toString(e.doc_width), 'x', toString(e.doc_height)))), if(e.doc_width IS NULL, '', concat(toString(e.doc_width), 'x', toString(e.doc_height))), JSONExtractString(x_browser_context, 'documentSize'))), 'Tuple(browser String, viewport String, page String)') AS resolution,
    CAST(tuple(if(x_u2s, multiIf(notEmpty(JSONExtractString(x_event_data, 'action')), JSONExtractString(x_event_data, 'action'), JSONExtractString(x_event_data, 'se_action')), e.se_action), if(x_u2s, multiIf(notEmpty(JSONExtractString(x_event_data, 'category')), JSONExtractString(x_event_data, 'category'), JSONExtractString(x_event_data, 'se_category')), e.se_category), if(x_u2s, multiIf(notEmpty(JSONExtractString(x_event_data, 'label')), JSONExtractString(x_event_data, 'label'), JSONExtractString(x_event_data, 'se_label')), e.se_label), accurateCastOrDefault(if(startsWith(x_property_text, '{'), x_property_text, '{}'), 'JSON'), if(x_u2s, toFloat32OrZero(replaceAll(multiIf(notEmpty(JSONExtractRaw(x_event_data, 'value')), JSONExtractRaw(x_event_data, 'value'), JSONExtractRaw(x_event_data, 'se_value')), '"', '')), toFloat32(ifNull(e.se_value, 0))), accurateCastOrDefault(if(startsWith(x_unstructured_text, '{'), x_unstructured_text, '{}'), 'JSON')), 'Tuple(action LowCardinality(String), category LowCardinality(String), label String, property JSON, value Float32, unstructured JSON)') AS event,
    accurateCastOrDefault(if(startsWith(x_extra_text, '{'), x_extra_text, '{}'), 'JSON') AS extra,
    CAST(tuple(e.v_tracker, e.name_tracker), 'Tuple(version LowCardinality(String), namespace LowCardinality(String))') AS tracker,
    if(e.platform = 'mob', e.name_tracker, e.app_id) AS app
FROM `atomic`.`events` AS e
COMMENT 'of Snowgauge, 18970215c4926afa';

ALTER TABLE `atomic`.`failed_events_local` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `seed` String CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS `cause` LowCardinality(String), ADD COLUMN IF NOT EXISTS `attempts` UInt32, ADD COLUMN IF NOT EXISTS `attempted_at` Nullable(DateTime64(3, 'UTC')), ADD COLUMN IF NOT EXISTS `attempt_message` String CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS `recovered_at` Nullable(DateTime64(3, 'UTC')), ADD COLUMN IF NOT EXISTS `recovery_run` LowCardinality(String), ADD COLUMN IF NOT EXISTS `recovered_into` String CODEC(ZSTD(1));

ALTER TABLE `atomic`.`failed_events` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `seed` String CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS `cause` LowCardinality(String), ADD COLUMN IF NOT EXISTS `attempts` UInt32, ADD COLUMN IF NOT EXISTS `attempted_at` Nullable(DateTime64(3, 'UTC')), ADD COLUMN IF NOT EXISTS `attempt_message` String CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS `recovered_at` Nullable(DateTime64(3, 'UTC')), ADD COLUMN IF NOT EXISTS `recovery_run` LowCardinality(String), ADD COLUMN IF NOT EXISTS `recovered_into` String CODEC(ZSTD(1));

ALTER TABLE `atomic`.`events_local` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `entity_schemas` Array(LowCardinality(String)) MATERIALIZED arrayDistinct(arrayMap(x -> x.1, arrayConcat(JSONExtract(`contexts`, 'data', 'Array(Tuple(schema String))'), JSONExtract(`derived_contexts`, 'data', 'Array(Tuple(schema String))')))) COMMENT 'schemas of the entities, those of enrichments too, each once';

ALTER TABLE `atomic`.`events` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `entity_schemas` Array(LowCardinality(String)) MATERIALIZED arrayDistinct(arrayMap(x -> x.1, arrayConcat(JSONExtract(`contexts`, 'data', 'Array(Tuple(schema String))'), JSONExtract(`derived_contexts`, 'data', 'Array(Tuple(schema String))')))) COMMENT 'schemas of the entities, those of enrichments too, each once';

ALTER TABLE `atomic`.`events_local` ON CLUSTER `main` MATERIALIZE COLUMN `entity_schemas` SETTINGS mutations_sync = 0;

ALTER TABLE `atomic`.`incomplete_events_local` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `entity_schemas` Array(LowCardinality(String)) MATERIALIZED arrayDistinct(arrayMap(x -> x.1, arrayConcat(JSONExtract(`contexts`, 'data', 'Array(Tuple(schema String))'), JSONExtract(`derived_contexts`, 'data', 'Array(Tuple(schema String))')))) COMMENT 'schemas of the entities, those of enrichments too, each once';

ALTER TABLE `atomic`.`incomplete_events` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `entity_schemas` Array(LowCardinality(String)) MATERIALIZED arrayDistinct(arrayMap(x -> x.1, arrayConcat(JSONExtract(`contexts`, 'data', 'Array(Tuple(schema String))'), JSONExtract(`derived_contexts`, 'data', 'Array(Tuple(schema String))')))) COMMENT 'schemas of the entities, those of enrichments too, each once';

ALTER TABLE `atomic`.`incomplete_events_local` ON CLUSTER `main` MATERIALIZE COLUMN `entity_schemas` SETTINGS mutations_sync = 0;

CREATE DATABASE IF NOT EXISTS `derived` ON CLUSTER `main`;

CREATE TABLE IF NOT EXISTS `derived`.`page_views_local` ON CLUSTER `main`
(
    `view_id` String COMMENT 'The web_page entity\'s id; else the screen\'s; else the event\'s',
    `event_id` UUID COMMENT 'Of the first event',
    `app_id` LowCardinality(String) COMMENT 'Of the first event',
    `platform` LowCardinality(String) COMMENT 'Of the first event',
    `view_type` LowCardinality(String) COMMENT '`page` (page_view) or `screen` (screen_view)',
    `session_id` String COMMENT 'The visit that it belongs to: that of the first event',
    `visitor_id` String COMMENT 'client_session.user_id, else domain_userid, else network_userid; the nil UUID is none',
    `person_id` String COMMENT 'The session\'s; without a session `user_id`, else `visitor_id`',
    `user_id` String COMMENT 'Of the first event',
    `view_in_session` Nullable(UInt16) COMMENT 'Its number in the visit, from 1',
    `views_in_session` Nullable(UInt16) COMMENT 'How many views the visit has',
    `start_tstamp` DateTime64(3, 'UTC') COMMENT 'Time of the first event',
    `end_tstamp` DateTime64(3, 'UTC') COMMENT 'Time of the last event of any kind with the view\'s id in the session',
    `engaged_s` UInt32 COMMENT 'Engaged time in seconds: heartbeat × (distinct heartbeats with a page ping − 1) + minimum visit, 0 without pings; of screens the most foreground time told',
    `absolute_s` UInt32 COMMENT 'Seconds from start to end; of screens foreground + background',
    `scroll_px` Nullable(UInt32) COMMENT 'How far down it was scrolled, in pixels; none without a document\'s height',
    `scroll_pct` Nullable(Float32) COMMENT 'How much of the document was seen, 0 to 100; none without its height',
    `page_title` String COMMENT 'Of the first event; of screens their name',
    `page_url` String COMMENT 'Of the first event',
    `page_urlhost` LowCardinality(String) COMMENT 'Of the first event',
    `page_urlpath` String COMMENT 'Of the first event; of screens `/` and their name',
    `page_urlquery` String COMMENT 'Of the first event',
    `page_urlfragment` String COMMENT 'Of the first event',
    `page_path` String COMMENT 'The path after the application\'s path rules',
    `content_group` LowCardinality(String) COMMENT 'The application\'s first content group whose pattern matches `page_path`',
    `page_referrer` String COMMENT 'The referring page\'s address, as the tracker sent it',
    `refr_urlhost` LowCardinality(String) COMMENT 'Its host',
    `refr_urlpath` String COMMENT 'Its path',
    `refr_medium` LowCardinality(String) COMMENT 'What kind of site it is: search, social, email, paid, chatbot, internal, unknown',
    `refr_source` LowCardinality(String) COMMENT 'Its name, such as Google',
    `refr_term` String COMMENT 'The words searched for, where the site tells',
    `mkt_medium` LowCardinality(String) COMMENT 'utm_medium',
    `mkt_source` LowCardinality(String) COMMENT 'utm_source',
    `mkt_term` String COMMENT 'utm_term',
    `mkt_content` String COMMENT 'utm_content',
    `mkt_campaign` LowCardinality(String) COMMENT 'utm_campaign',
    `mkt_clickid` String COMMENT 'The advertiser\'s id of the click',
    `mkt_network` LowCardinality(String) COMMENT 'The advertising network of that id',
    `channel` LowCardinality(String) COMMENT 'The channel that a visit would have which began with this view',
    `source` LowCardinality(String) COMMENT 'The source that it would have; empty: direct',
    `geo_country` LowCardinality(String) COMMENT 'Country, ISO 3166-1 alpha-2',
    `geo_region` LowCardinality(String) COMMENT 'Region, the second part of ISO 3166-2',
    `geo_region_name` LowCardinality(String) COMMENT 'The region\'s name',
    `geo_city` LowCardinality(String) COMMENT 'City',
    `br_family` LowCardinality(String) COMMENT 'Browser: of ua_parser, else of YAUAA, else `br_family`',
    `br_version` LowCardinality(String) COMMENT 'The browser\'s version, from the same',
    `os_family` LowCardinality(String) COMMENT 'Operating system, from the same',
    `os_version` LowCardinality(String) COMMENT 'Its version, from the same',
    `dvce_type` LowCardinality(String) COMMENT 'Device class of YAUAA, else `dvce_type`',
    `screen` LowCardinality(String) COMMENT 'Screen, `width x height` in pixels written as `1920x1080`',
    `br_lang` LowCardinality(String) COMMENT 'The browser\'s language',
    `os_timezone` LowCardinality(String) COMMENT 'The device\'s time zone',
    `previous_path` String COMMENT '`page_path` of the view before in the visit; empty: it is the first',
    `next_path` String COMMENT '`page_path` of the view after; empty: it is the last',
    `is_entry` Bool COMMENT 'The visit\'s first view',
    `is_exit` Bool COMMENT 'The visit\'s last view',
    `events` UInt32 COMMENT 'Events with the view\'s id, page pings left out',
    `is_bot` Bool COMMENT 'One of its events is a bot\'s',
    `is_internal` Bool COMMENT 'Own traffic, by the application\'s rules',
    `unit` String COMMENT 'What is made again as a whole: the session\'s id; `view <view_id>` for a view without a session; `event <event_id>` for an event with neither',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX unit_index `unit` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX session_id_index `session_id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX person_id_index `person_id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX view_id_index `view_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`start_tstamp`)
ORDER BY (`app_id`, toDate(start_tstamp), `session_id`, `view_id`)
COMMENT 'One row per page view or screen view. “First” is the view\'s first page_view or screen_view event by time, `dvce_created_tstamp` and `event_id`. Its pings in another session count there as engaged time and not here. A view without a session has no `session_id`, and counts as a page view only.';

CREATE TABLE IF NOT EXISTS `derived`.`page_views` ON CLUSTER `main` AS `derived`.`page_views_local`
ENGINE = Distributed('main', 'derived', 'page_views_local', cityHash64(`app_id`, toDate(start_tstamp), `session_id`, `view_id`));

CREATE TABLE IF NOT EXISTS `derived`.`sessions_local` ON CLUSTER `main`
(
    `session_id` String COMMENT 'client_session.session_id, else domain_sessionid',
    `app_id` LowCardinality(String) COMMENT 'Of its first event',
    `platform` LowCardinality(String) COMMENT 'Of its first event',
    `visitor_id` String COMMENT 'client_session.user_id, else domain_userid, else network_userid, of its first event that has one; the nil UUID is none',
    `person_id` String COMMENT 'Its own user_id; else the one that the visitor used next after it, else last before it; else the visitor_id',
    `user_id` String COMMENT 'The last user_id of its events',
    `network_userid` String COMMENT 'The first network_userid of its events',
    `session_index` Nullable(Int32) COMMENT 'The highest domain_sessionidx, else client_session.session_index',
    `is_new_visitor` Bool COMMENT 'session_index is 1; without one: no earlier session of the visitor is known',
    `start_tstamp` DateTime64(3, 'UTC') COMMENT 'Time of the first event, less the minimum visit where that is a page ping',
    `end_tstamp` DateTime64(3, 'UTC') COMMENT 'Time of the last event',
    `duration_s` UInt32 COMMENT 'Seconds from start to end',
    `engaged_s` UInt32 COMMENT 'Engaged time in seconds, over all its views',
    `views` UInt32 COMMENT 'Views that belong to it',
    `distinct_pages` UInt32 COMMENT 'Distinct `page_path` of them',
    `events` UInt32 COMMENT 'Events, each counted once',
    `interactions` UInt32 COMMENT 'Events that a person caused: no views, pings, screen ends, moves to and from the background, web vitals, consent banners or errors, and none of the application\'s non-interactive events',
    `max_scroll_pct` Nullable(Float32) COMMENT 'The most seen of one of its pages, 0 to 100',
    `is_bounce` Bool COMMENT 'At most one view, engaged less than 10 s, no interaction and no conversion; with the rule `single_page`: at most one view and no interaction',
    `is_engaged` Bool COMMENT 'Not a bounce',
    `entry_host` LowCardinality(String) COMMENT 'Host of the first view',
    `entry_path` String COMMENT '`page_path` of the first view',
    `entry_title` String COMMENT 'Title of the first view',
    `entry_view_id` String COMMENT 'Id of the first view',
    `entry_content_group` LowCardinality(String) COMMENT 'Content group of the first view',
    `exit_host` LowCardinality(String) COMMENT 'Host of the last view',
    `exit_path` String COMMENT '`page_path` of the last view',
    `exit_title` String COMMENT 'Title of the last view',
    `exit_view_id` String COMMENT 'Id of the last view',
    `exit_content_group` LowCardinality(String) COMMENT 'Content group of the last view',
    `page_referrer` String COMMENT 'The referring page\'s address, as the tracker sent it',
    `refr_urlhost` LowCardinality(String) COMMENT 'Its host',
    `refr_urlpath` String COMMENT 'Its path',
    `refr_medium` LowCardinality(String) COMMENT 'What kind of site it is: search, social, email, paid, chatbot, internal, unknown',
    `refr_source` LowCardinality(String) COMMENT 'Its name, such as Google',
    `refr_term` String COMMENT 'The words searched for, where the site tells',
    `mkt_medium` LowCardinality(String) COMMENT 'utm_medium',
    `mkt_source` LowCardinality(String) COMMENT 'utm_source',
    `mkt_term` String COMMENT 'utm_term',
    `mkt_content` String COMMENT 'utm_content',
    `mkt_campaign` LowCardinality(String) COMMENT 'utm_campaign',
    `mkt_clickid` String COMMENT 'The advertiser\'s id of the click',
    `mkt_network` LowCardinality(String) COMMENT 'The advertising network of that id',
    `click_id_param` LowCardinality(String) COMMENT 'The parameter of the address that held a click id, such as gclid',
    `channel` LowCardinality(String) COMMENT 'The channel that brought the visit',
    `source` LowCardinality(String) COMMENT 'The source that brought it; empty: direct',
    `is_continued` Bool COMMENT 'It began on a page of the same site: channel and source are those of the visitor\'s visit before, if that ended less than 24 hours before, else Direct',
    `landing_campaign_in_session` Bool COMMENT 'A later view carries a campaign of its own',
    `geo_country` LowCardinality(String) COMMENT 'Country, ISO 3166-1 alpha-2',
    `geo_region` LowCardinality(String) COMMENT 'Region, the second part of ISO 3166-2',
    `geo_region_name` LowCardinality(String) COMMENT 'The region\'s name',
    `geo_city` LowCardinality(String) COMMENT 'City',
    `last_geo_country` LowCardinality(String) COMMENT 'Country of its last event that has one',
    `br_family` LowCardinality(String) COMMENT 'Browser: of ua_parser, else of YAUAA, else `br_family`',
    `br_version` LowCardinality(String) COMMENT 'The browser\'s version, from the same',
    `os_family` LowCardinality(String) COMMENT 'Operating system, from the same',
    `os_version` LowCardinality(String) COMMENT 'Its version, from the same',
    `dvce_type` LowCardinality(String) COMMENT 'Device class of YAUAA, else `dvce_type`',
    `screen` LowCardinality(String) COMMENT 'Screen, `width x height` in pixels written as `1920x1080`',
    `br_lang` LowCardinality(String) COMMENT 'The browser\'s language',
    `os_timezone` LowCardinality(String) COMMENT 'The device\'s time zone',
    `first_event_name` LowCardinality(String) COMMENT 'Name of its first event',
    `last_event_name` LowCardinality(String) COMMENT 'Name of its last event',
    `conversions` UInt32 COMMENT 'Rows in `conversions`',
    `revenue` Decimal(18, 2) COMMENT 'Sum of their values; of one currency where the application has set one',
    `orders` UInt32 COMMENT 'Distinct orders among them',
    `goals` Array(LowCardinality(String)) COMMENT 'The goals met, each once',
    `app_errors` UInt32 COMMENT 'application_error events',
    `is_bot` Bool COMMENT 'One of its events is a bot\'s',
    `is_internal` Bool COMMENT 'Own traffic, by the application\'s rules',
    `is_cookieless` Bool COMMENT 'The visitor is known by a cookieless id, which holds for a day',
    `is_quarantined` Bool COMMENT 'Given up at some point: see `model_quarantine`; what follows is not counted',
    `unit` String COMMENT 'What is made again as a whole: the session\'s id; `view <view_id>` for a view without a session; `event <event_id>` for an event with neither',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX unit_index `unit` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX visitor_id_index `visitor_id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX person_id_index `person_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`start_tstamp`)
ORDER BY (`app_id`, toDate(start_tstamp), `session_id`)
COMMENT 'One row per session (visit). A visit is the tracker\'s session: `client_session.session_id`, else `domain_sessionid`. Where it came from, where its visitor is and with what device is that of its first page view, screen view or page ping. Server-side events (platform `srv`) are not part of it.';

CREATE TABLE IF NOT EXISTS `derived`.`sessions` ON CLUSTER `main` AS `derived`.`sessions_local`
ENGINE = Distributed('main', 'derived', 'sessions_local', cityHash64(`app_id`, toDate(start_tstamp), `session_id`));

CREATE TABLE IF NOT EXISTS `derived`.`conversions_local` ON CLUSTER `main`
(
    `event_id` UUID COMMENT 'The event that met the goal; of scroll, time and visit goals the one that met it first',
    `goal` LowCardinality(String) COMMENT 'The goal\'s name',
    `app_id` LowCardinality(String) COMMENT 'Of the event',
    `t` DateTime64(3, 'UTC') COMMENT 'Time of the event',
    `view_id` String COMMENT 'View of the event',
    `session_id` String COMMENT 'Its session; of a server-side event the person\'s last that began in the 30 days before',
    `visitor_id` String COMMENT 'Visitor of the session, else of the event',
    `person_id` String COMMENT 'Person of the session, else the event\'s user_id, else its visitor',
    `value` Nullable(Decimal(18, 2)) COMMENT 'What it is worth',
    `currency` LowCardinality(String) COMMENT 'Currency of the value',
    `order_id` String COMMENT 'Order, of a transaction',
    `channel` LowCardinality(String) COMMENT 'Of the session',
    `source` LowCardinality(String) COMMENT 'Of the session',
    `mkt_medium` LowCardinality(String) COMMENT 'utm_medium',
    `mkt_source` LowCardinality(String) COMMENT 'utm_source',
    `mkt_term` String COMMENT 'utm_term',
    `mkt_content` String COMMENT 'utm_content',
    `mkt_campaign` LowCardinality(String) COMMENT 'utm_campaign',
    `mkt_clickid` String COMMENT 'The advertiser\'s id of the click',
    `mkt_network` LowCardinality(String) COMMENT 'The advertising network of that id',
    `is_first_of_session` Bool COMMENT 'The goal\'s first in the session',
    `is_first_of_person` Bool COMMENT 'The goal\'s first of the person',
    `is_bot` Bool COMMENT 'Of the session, else of the event',
    `unit` String COMMENT 'What is made again as a whole: the session\'s id; `view <view_id>` for a view without a session; `event <event_id>` for an event with neither',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX unit_index `unit` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX session_id_index `session_id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX person_id_index `person_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`t`)
ORDER BY (`app_id`, `goal`, toDate(t), `event_id`)
COMMENT 'One row per event and goal that it meets. Goals hold for the whole history: a changed one is counted again from the start. A transaction counts once per application, however often its page is loaded. Values of different currencies are never added.';

CREATE TABLE IF NOT EXISTS `derived`.`conversions` ON CLUSTER `main` AS `derived`.`conversions_local`
ENGINE = Distributed('main', 'derived', 'conversions_local', cityHash64(`app_id`, `goal`, toDate(t), `event_id`));

CREATE TABLE IF NOT EXISTS `derived`.`user_days_local` ON CLUSTER `main`
(
    `app_id` LowCardinality(String) COMMENT 'Application',
    `day` Date COMMENT 'Day of the events in the application\'s reporting zone',
    `event_name` LowCardinality(String) COMMENT 'Name of the event; of goals `goal:<name>`. Page pings are left out',
    `person_id` String COMMENT 'Of the session',
    `session_id` String COMMENT 'The session that adds this much',
    `n` UInt32 COMMENT 'How many',
    `is_bot` Bool COMMENT 'Of the session',
    `is_cookieless` Bool COMMENT 'Of the session',
    `unit` String COMMENT 'What is made again as a whole: the session\'s id; `view <view_id>` for a view without a session; `event <event_id>` for an event with neither',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX unit_index `unit` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX person_id_index `person_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`day`)
ORDER BY (`app_id`, `event_name`, `day`, `unit`)
COMMENT 'One row per person, day, event name and session. For questions about people over time. A person with two visits on one day has a row for each: add up `n`, and count people and days as distinct ones.';

CREATE TABLE IF NOT EXISTS `derived`.`user_days` ON CLUSTER `main` AS `derived`.`user_days_local`
ENGINE = Distributed('main', 'derived', 'user_days_local', cityHash64(`app_id`, `event_name`, `day`, `unit`));

CREATE TABLE IF NOT EXISTS `derived`.`web_vitals_local` ON CLUSTER `main`
(
    `event_id` UUID COMMENT 'Of the event',
    `view_id` String COMMENT 'Its view, else the event\'s id',
    `session_id` String COMMENT 'Its session',
    `app_id` LowCardinality(String) COMMENT 'Application',
    `t` DateTime64(3, 'UTC') COMMENT 'Time of the event',
    `page_path` String COMMENT 'As in `page_views`',
    `content_group` LowCardinality(String) COMMENT 'As in `page_views`',
    `dvce_type` LowCardinality(String) COMMENT 'As in `page_views`',
    `br_family` LowCardinality(String) COMMENT 'As in `page_views`',
    `geo_country` LowCardinality(String) COMMENT 'Country of the event',
    `lcp` Nullable(Float32) COMMENT 'Largest contentful paint, ms',
    `fcp` Nullable(Float32) COMMENT 'First contentful paint, ms',
    `inp` Nullable(Float32) COMMENT 'Interaction to next paint, ms',
    `ttfb` Nullable(Float32) COMMENT 'Time to first byte, ms',
    `fid` Nullable(Float32) COMMENT 'First input delay, ms (retired in March 2024)',
    `cls` Nullable(Float32) COMMENT 'Cumulative layout shift',
    `navigation_type` LowCardinality(String) COMMENT 'How the page was reached, as the browser tells',
    `is_bot` Bool COMMENT 'Of the session, else of the event',
    `unit` String COMMENT 'What is made again as a whole: the session\'s id; `view <view_id>` for a view without a session; `event <event_id>` for an event with neither',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX unit_index `unit` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`t`)
ORDER BY (`app_id`, toDate(t), `unit`, `view_id`)
COMMENT 'One row per view with a web_vitals event. Of several events of one view the first counts.';

CREATE TABLE IF NOT EXISTS `derived`.`web_vitals` ON CLUSTER `main` AS `derived`.`web_vitals_local`
ENGINE = Distributed('main', 'derived', 'web_vitals_local', cityHash64(`app_id`, toDate(t), `unit`, `view_id`));

CREATE TABLE IF NOT EXISTS `derived`.`ecommerce_actions_local` ON CLUSTER `main`
(
    `event_id` UUID COMMENT 'Of the action',
    `product_index` UInt16 COMMENT 'Number of the product in the action, from 1; 0: none',
    `app_id` LowCardinality(String) COMMENT 'Application',
    `t` DateTime64(3, 'UTC') COMMENT 'Time of the action',
    `view_id` String COMMENT 'Its view',
    `session_id` String COMMENT 'Its session',
    `person_id` String COMMENT 'Person of the session, else the event\'s user_id, else its visitor',
    `action` LowCardinality(String) COMMENT 'Type of the action, such as add_to_cart; of the older events transaction and transaction_item',
    `action_name` LowCardinality(String) COMMENT 'Name that the site gave it',
    `product_id` String COMMENT 'The product\'s id (of transaction_item the SKU)',
    `name` String COMMENT 'Its name',
    `brand` LowCardinality(String) COMMENT 'Its brand',
    `variant` LowCardinality(String) COMMENT 'Its variant',
    `category_1` LowCardinality(String) COMMENT 'Part 1 of its category, cut at `/`',
    `category_2` LowCardinality(String) COMMENT 'Part 2 of its category, cut at `/`',
    `category_3` LowCardinality(String) COMMENT 'Part 3 of its category, cut at `/`',
    `category_4` LowCardinality(String) COMMENT 'Part 4 of its category, cut at `/`',
    `price` Nullable(Decimal(18, 4)) COMMENT 'Its price',
    `list_price` Nullable(Decimal(18, 4)) COMMENT 'Its price before discounts',
    `quantity` Nullable(Decimal(18, 3)) COMMENT 'How many',
    `currency` LowCardinality(String) COMMENT 'Currency of the prices, else of transaction or cart',
    `position` Nullable(Int32) COMMENT 'Place in the list that the product was shown in',
    `cart_id` String COMMENT 'The cart',
    `cart_total` Nullable(Decimal(18, 2)) COMMENT 'Worth of the cart after the action',
    `revenue` Nullable(Decimal(18, 2)) COMMENT 'Revenue of the transaction; of a refund its amount, less than 0',
    `tax` Nullable(Decimal(18, 2)) COMMENT 'Tax of the transaction',
    `shipping` Nullable(Decimal(18, 2)) COMMENT 'Shipping of the transaction',
    `discount` Nullable(Decimal(18, 2)) COMMENT 'Discount of the transaction',
    `total_quantity` Nullable(Decimal(18, 3)) COMMENT 'Quantity of the transaction',
    `payment_method` LowCardinality(String) COMMENT 'Payment method of the transaction',
    `transaction_id` String COMMENT 'The transaction or order',
    `is_first_of_transaction` Bool COMMENT 'The application\'s earliest action of this transaction: only it counts as revenue',
    `checkout_step` Nullable(UInt16) COMMENT 'Number of the checkout step',
    `is_bot` Bool COMMENT 'Of the session, else of the event',
    `unit` String COMMENT 'What is made again as a whole: the session\'s id; `view <view_id>` for a view without a session; `event <event_id>` for an event with neither',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX unit_index `unit` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX session_id_index `session_id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX person_id_index `person_id` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX transaction_id_index `transaction_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`t`)
ORDER BY (`app_id`, toDate(t), `event_id`, `product_index`)
COMMENT 'One row per ecommerce action and product. snowplow_ecommerce_action events with their entities, and the older transaction and transaction_item events. An action without products has one row with `product_index` 0.';

CREATE TABLE IF NOT EXISTS `derived`.`ecommerce_actions` ON CLUSTER `main` AS `derived`.`ecommerce_actions_local`
ENGINE = Distributed('main', 'derived', 'ecommerce_actions_local', cityHash64(`app_id`, toDate(t), `event_id`, `product_index`));

CREATE TABLE IF NOT EXISTS `derived`.`app_errors_local` ON CLUSTER `main`
(
    `event_id` UUID COMMENT 'Of the event',
    `t` DateTime64(3, 'UTC') COMMENT 'Its time',
    `app_id` LowCardinality(String) COMMENT 'Application',
    `session_id` String COMMENT 'Its session',
    `person_id` String COMMENT 'Person of the session, else the event\'s user_id, else its visitor',
    `message` String COMMENT 'The first 200 characters of the message',
    `class` LowCardinality(String) COMMENT 'Class of the error',
    `file` String COMMENT 'File that it came from',
    `line` Nullable(Int32) COMMENT 'Line of the file',
    `is_fatal` Bool COMMENT 'The application ended',
    `page_path` String COMMENT 'Page or screen, as in `page_views`',
    `app_version` LowCardinality(String) COMMENT 'Version of the application',
    `unit` String COMMENT 'What is made again as a whole: the session\'s id; `view <view_id>` for a view without a session; `event <event_id>` for an event with neither',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX unit_index `unit` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX person_id_index `person_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`t`)
ORDER BY (`app_id`, toDate(t), `event_id`)
COMMENT 'One row per application_error event. Without stack traces, which stay in `atomic.events`.';

CREATE TABLE IF NOT EXISTS `derived`.`app_errors` ON CLUSTER `main` AS `derived`.`app_errors_local`
ENGINE = Distributed('main', 'derived', 'app_errors_local', cityHash64(`app_id`, toDate(t), `event_id`));

CREATE TABLE IF NOT EXISTS `derived`.`users_local` ON CLUSTER `main`
(
    `person_id` String COMMENT 'As in `sessions`',
    `user_id` String COMMENT 'The last one known',
    `visitor_ids` Array(String) COMMENT 'The visitor ids, at most 100, in order',
    `apps` Array(LowCardinality(String)) COMMENT 'The applications, in order',
    `first_seen` DateTime64(3, 'UTC') COMMENT 'Earliest start of a session',
    `last_seen` DateTime64(3, 'UTC') COMMENT 'Latest end of one',
    `sessions` UInt32 COMMENT 'How many sessions',
    `views` UInt32 COMMENT 'Sum over the sessions',
    `events` UInt32 COMMENT 'Sum over the sessions',
    `engaged_s` UInt32 COMMENT 'Sum over the sessions',
    `duration_s` UInt32 COMMENT 'Sum over the sessions',
    `active_days` UInt32 COMMENT 'Distinct days of session starts, in the reporting zone that holds without an application',
    `first_session_id` String COMMENT 'Of the earliest start; of equal ones the greatest id',
    `last_session_id` String COMMENT 'Of the latest end; of equal ones the greatest id',
    `first_channel` LowCardinality(String) COMMENT 'Of the first session',
    `first_source` LowCardinality(String) COMMENT 'Of the first session',
    `first_mkt_medium` LowCardinality(String) COMMENT 'Of the first session',
    `first_mkt_source` LowCardinality(String) COMMENT 'Of the first session',
    `first_mkt_campaign` LowCardinality(String) COMMENT 'Of the first session',
    `first_refr_urlhost` LowCardinality(String) COMMENT 'Of the first session',
    `first_refr_medium` LowCardinality(String) COMMENT 'Of the first session',
    `first_entry_path` String COMMENT 'Of the first session',
    `first_country` LowCardinality(String) COMMENT 'Of the first session',
    `first_device` LowCardinality(String) COMMENT 'Of the first session',
    `last_channel` LowCardinality(String) COMMENT 'Of the last session',
    `last_source` LowCardinality(String) COMMENT 'Of the last session',
    `last_mkt_medium` LowCardinality(String) COMMENT 'Of the last session',
    `last_mkt_source` LowCardinality(String) COMMENT 'Of the last session',
    `last_mkt_campaign` LowCardinality(String) COMMENT 'Of the last session',
    `last_refr_urlhost` LowCardinality(String) COMMENT 'Of the last session',
    `last_refr_medium` LowCardinality(String) COMMENT 'Of the last session',
    `last_entry_path` String COMMENT 'Of the last session',
    `last_country` LowCardinality(String) COMMENT 'Of the last session',
    `last_device` LowCardinality(String) COMMENT 'Of the last session',
    `last_path` String COMMENT 'Exit path of the last session',
    `conversions` UInt32 COMMENT 'Sum over the sessions',
    `revenue` Decimal(18, 2) COMMENT 'Sum over the sessions',
    `orders` UInt32 COMMENT 'Sum over the sessions',
    `first_conversion_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Of the earliest row of `conversions`',
    `last_conversion_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'Of the latest one',
    `on_web` Bool COMMENT 'Has a session on platform web',
    `on_mobile` Bool COMMENT 'Has one on another platform',
    `is_identified` Bool COMMENT 'Has a user_id',
    `is_bot` Bool COMMENT 'All sessions are bots\'',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
ORDER BY (`person_id`)
COMMENT 'One row per person. A person over all applications, made of all rows of `sessions` with the person\'s id.';

CREATE TABLE IF NOT EXISTS `derived`.`users` ON CLUSTER `main` AS `derived`.`users_local`
ENGINE = Distributed('main', 'derived', 'users_local', cityHash64(`person_id`));

CREATE TABLE IF NOT EXISTS `derived`.`identities_local` ON CLUSTER `main`
(
    `visitor_id` String COMMENT 'As in `sessions`',
    `user_id` String COMMENT 'As in `sessions`',
    `first_seen` DateTime64(3, 'UTC') COMMENT 'Earliest start of such a session',
    `last_seen` DateTime64(3, 'UTC') COMMENT 'Latest end of one',
    `sessions` UInt32 COMMENT 'How many',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX user_id_index `user_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
ORDER BY (`visitor_id`, `user_id`)
COMMENT 'One row per visitor and user_id. Who logged in on which device, made of the rows of `sessions` that have both.';

CREATE TABLE IF NOT EXISTS `derived`.`identities` ON CLUSTER `main` AS `derived`.`identities_local`
ENGINE = Distributed('main', 'derived', 'identities_local', cityHash64(`visitor_id`, `user_id`));

CREATE TABLE IF NOT EXISTS `derived`.`event_stats_local` ON CLUSTER `main`
(
    `app_id` LowCardinality(String) COMMENT 'Application',
    `slot` DateTime64(3, 'UTC') COMMENT 'Start of the quarter of an hour, by `collector_tstamp`',
    `platform` LowCardinality(String) COMMENT 'Platform',
    `event_name` LowCardinality(String) COMMENT 'Name of the event',
    `schema` LowCardinality(String) COMMENT '`vendor/name/version` of the event',
    `tracker` LowCardinality(String) COMMENT 'Tracker, as its name and version',
    `app_version` LowCardinality(String) COMMENT 'Version of the application, of its entity',
    `is_bot` Bool COMMENT 'The event is a bot\'s',
    `events` UInt64 COMMENT 'Events, each counted once in the quarter of an hour',
    `duplicates` UInt64 COMMENT 'Rows beyond the first of an event',
    `late` UInt64 COMMENT 'Events of which the time is unbelievable: more than 30 days before `collector_tstamp` or more than a day after',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`slot`)
ORDER BY (`app_id`, `event_name`, `slot`, `platform`, `schema`, `tracker`, `app_version`, `is_bot`)
COMMENT 'One row per application, quarter of an hour and kind of event. Counts without anything about people. They outlive erasure and retention of the events: a count never falls.';

CREATE TABLE IF NOT EXISTS `derived`.`event_stats` ON CLUSTER `main` AS `derived`.`event_stats_local`
ENGINE = Distributed('main', 'derived', 'event_stats_local', cityHash64(`app_id`, `event_name`, `slot`, `platform`, `schema`, `tracker`, `app_version`, `is_bot`));

CREATE OR REPLACE VIEW `derived`.`touches` ON CLUSTER `main` AS SELECT `view_id` AS `view_id`, `session_id` AS `session_id`, `person_id` AS `person_id`, `app_id` AS `app_id`, `start_tstamp` AS `t`, `is_entry` AS `is_session_start`, `channel` AS `channel`, `source` AS `source`, `mkt_medium` AS `mkt_medium`, `mkt_campaign` AS `mkt_campaign`, `page_path` AS `entry_path`, `content_group` AS `content_group`, `is_bot` AS `is_bot` FROM `derived`.`page_views` FINAL WHERE is_entry OR (mkt_medium != '' AND refr_medium != 'internal');

CREATE TABLE IF NOT EXISTS `derived`.`model_state` ON CLUSTER `main`
(
    `table` LowCardinality(String) COMMENT 'Table, or `*`',
    `app_id` LowCardinality(String) COMMENT 'Application, or empty',
    `model_version` UInt64 COMMENT 'Version of the definitions',
    `ledger_position` String COMMENT 'Up to where stored events have been looked at: a `load_tstamp`, ms',
    `modelled_until` DateTime64(3, 'UTC') COMMENT 'Everything stored before is in the tables',
    `rebuild_day` Nullable(Date) COMMENT 'The day that a rebuild has reached, going backwards; none: no rebuild',
    `error` String COMMENT 'Why the last run failed; empty: it did not',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `updated_at`, is_deleted)
ORDER BY (`table`, `app_id`)
COMMENT 'One row per table and application. How far the modeller is. `table` is `*` for what holds for all of them.';

CREATE TABLE IF NOT EXISTS `derived`.`model_dirty` ON CLUSTER `main`
(
    `unit` String COMMENT 'As in `page_views`',
    `kind` LowCardinality(String) COMMENT 'session, view or event',
    `since` DateTime64(3, 'UTC') COMMENT 'The earliest `collector_tstamp` of its events that is known',
    `until` DateTime64(3, 'UTC') COMMENT 'The latest',
    `reason` LowCardinality(String) COMMENT 'stored, recovered, erased, definition, identity or transaction',
    `batch_id` String COMMENT 'What caused it',
    `at` DateTime64(3, 'UTC') COMMENT 'When it was written down',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`unit`, `batch_id`)
COMMENT 'One row per session, view or event to be made again. Rows go once it has been made again.';

CREATE TABLE IF NOT EXISTS `derived`.`model_quarantine` ON CLUSTER `main`
(
    `session_id` String COMMENT 'The session',
    `app_id` LowCardinality(String) COMMENT 'Application',
    `start_tstamp` DateTime64(3, 'UTC') COMMENT 'Its start',
    `end_tstamp` DateTime64(3, 'UTC') COMMENT 'Its end when it was given up',
    `events` UInt64 COMMENT 'Its events then',
    `reason` LowCardinality(String) COMMENT '`longer than 3 days` or `more than 20000 events`',
    `at` DateTime64(3, 'UTC') COMMENT 'When',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`session_id`)
COMMENT 'One row per session given up. Sessions that are too long or too large. What was modelled stays; later events of them are not.';

CREATE TABLE IF NOT EXISTS `derived`.`model_lease` ON CLUSTER `main`
(
    `holder` String COMMENT 'Machine and process',
    `taken_at` DateTime64(3, 'UTC') COMMENT 'Since when it has wanted to, without a break',
    `until` DateTime64(3, 'UTC') COMMENT 'When its wish ends unless renewed',
    `at` DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`holder`)
COMMENT 'One row per process that models, or wants to. Of several machines one models at a time.';

CREATE TABLE IF NOT EXISTS `derived`.`model_settings` ON CLUSTER `main`
(
    `app_id` LowCardinality(String) COMMENT 'Application; empty: what holds where an application says nothing',
    `version` UInt64 COMMENT 'Number of the change, from 1; the highest holds',
    `settings` String COMMENT 'The settings, as JSON',
    `changed_by` String COMMENT 'Who changed them',
    `at` DateTime64(3, 'UTC') COMMENT 'When',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`app_id`, `version`)
COMMENT 'One row per application and change. Settings per application, every version of them.';

CREATE DATABASE IF NOT EXISTS `derived` ON CLUSTER `main`;

CREATE TABLE IF NOT EXISTS `derived`.`alert_rules` ON CLUSTER `main`
(
    `id` String COMMENT 'The alert',
    `body` String COMMENT 'What it watches, as JSON',
    `changed_by` String COMMENT 'Who changed it last',
    `at` DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`id`)
COMMENT 'One row per alert. Alerts that people made or changed; those that are there from the start have a row once they are changed.';

CREATE TABLE IF NOT EXISTS `derived`.`alert_channels` ON CLUSTER `main`
(
    `id` String COMMENT 'The channel',
    `body` String COMMENT 'Its name, kind and rules, as JSON',
    `sealed` String COMMENT 'Its secrets, encrypted with the deployment\'s key',
    `changed_by` String COMMENT 'Who changed it last',
    `at` DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`id`)
COMMENT 'One row per channel. Where messages go. Addresses that are secret, and keys, are sealed.';

CREATE TABLE IF NOT EXISTS `derived`.`alert_states` ON CLUSTER `main`
(
    `rule_id` String COMMENT 'The alert',
    `key` String COMMENT 'What of it',
    `body` String COMMENT 'The state, as JSON',
    `at` DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`rule_id`, `key`)
COMMENT 'One row per alert and key. What holds now. The key is what the alert is about: an application, an event, a cause; `*` says up to when the alert was evaluated.';

CREATE TABLE IF NOT EXISTS `derived`.`alert_messages` ON CLUSTER `main`
(
    `id` String COMMENT 'The message: made of the alert, the key and the change, the same however often the change is found',
    `channel_id` String COMMENT 'The channel; empty: the console\'s bell',
    `rule_id` String COMMENT 'The alert',
    `status` LowCardinality(String) COMMENT 'waiting, sending, sent, failed, skipped, or shown (the bell)',
    `body` String COMMENT 'The message, and its tries, as JSON',
    `created` DateTime64(3, 'UTC') COMMENT 'When it was made',
    `at` DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX status_index `status` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`id`, `channel_id`)
COMMENT 'One row per message and channel. The history of alerts and the log of deliveries: written before anything is sent.';

CREATE DATABASE IF NOT EXISTS `derived` ON CLUSTER `main`;

CREATE TABLE IF NOT EXISTS `derived`.`plan_notes` ON CLUSTER `main`
(
    `id` String COMMENT '`event <application>/<name>`, or the id of a drift',
    `status` LowCardinality(String) COMMENT 'Event: planned, deprecated, ignored, or empty; drift: accepted or ignored',
    `owner` String COMMENT 'Who looks after it',
    `description` String COMMENT 'What it means',
    `changed_by` String COMMENT 'Who said so',
    `at` DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`id`)
COMMENT 'One row per event or drift of the tracking plan. What people said about it.';

CREATE TABLE IF NOT EXISTS `atomic`.`snowgauge_state` ON CLUSTER `main`
(
    `book` LowCardinality(String),
    `number` UInt64,
    `body` String CODEC(NONE) COMMENT 'encrypted, in base64',
    `writer` String,
    `stored_at` DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}')
ORDER BY (book, number)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800;

CREATE DATABASE IF NOT EXISTS `derived` ON CLUSTER `main`;

CREATE TABLE IF NOT EXISTS `derived`.`imported_days_local` ON CLUSTER `main`
(
    `import_id` LowCardinality(String) COMMENT 'The import, in `imports`',
    `line` UInt64 COMMENT 'Number of the row within the import',
    `app_id` LowCardinality(String) COMMENT 'Application',
    `day` Date COMMENT 'The day, in the zone of the other product',
    `report` LowCardinality(String) COMMENT 'What the sums are divided by: visits (by nothing), sources, pages, entry_pages, exit_pages, locations, devices, browsers, systems or events',
    `channel` LowCardinality(String) COMMENT 'As in `sessions`, by the application\'s rules',
    `source` LowCardinality(String) COMMENT 'As in `sessions`',
    `refr_urlhost` LowCardinality(String) COMMENT 'As in `sessions`',
    `refr_urlpath` String COMMENT 'As in `sessions`',
    `mkt_medium` LowCardinality(String) COMMENT 'As in `sessions`',
    `mkt_source` LowCardinality(String) COMMENT 'As in `sessions`',
    `mkt_campaign` LowCardinality(String) COMMENT 'As in `sessions`',
    `mkt_content` String COMMENT 'As in `sessions`',
    `mkt_term` String COMMENT 'As in `sessions`',
    `page_urlhost` LowCardinality(String) COMMENT 'As in `page_views`',
    `page_path` String COMMENT 'As in `page_views`, by the application\'s rules',
    `entry_path` String COMMENT 'As in `sessions`',
    `exit_path` String COMMENT 'As in `sessions`',
    `geo_country` LowCardinality(String) COMMENT 'As in `sessions`',
    `geo_region` LowCardinality(String) COMMENT 'As in `sessions`',
    `geo_city` LowCardinality(String) COMMENT 'As in `sessions`',
    `dvce_type` LowCardinality(String) COMMENT 'As in `sessions`',
    `br_family` LowCardinality(String) COMMENT 'As in `sessions`',
    `br_version` LowCardinality(String) COMMENT 'As in `sessions`',
    `os_family` LowCardinality(String) COMMENT 'As in `sessions`',
    `os_version` LowCardinality(String) COMMENT 'As in `sessions`',
    `event_name` LowCardinality(String) COMMENT 'Name of the event',
    `visitors` UInt64 COMMENT 'Visitors of the day',
    `visits` UInt64 COMMENT 'Visits; of `pages` those with the page',
    `views` UInt64 COMMENT 'Page views',
    `bounces` UInt64 COMMENT 'Visits that bounced, by the other product\'s rule',
    `duration_s` UInt64 COMMENT 'Duration of all visits together, in seconds',
    `events` UInt64 COMMENT 'Events, of the report `events`',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX import_id_index `import_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`day`)
ORDER BY (`app_id`, `report`, `day`, `import_id`, `line`)
COMMENT 'One row per day, report and values of an import. Daily sums from another product\'s export. No other table counts them; the analytics page shows them apart.';

CREATE TABLE IF NOT EXISTS `derived`.`imported_days` ON CLUSTER `main` AS `derived`.`imported_days_local`
ENGINE = Distributed('main', 'derived', 'imported_days_local', cityHash64(`app_id`, `report`, `day`, `import_id`, `line`));

CREATE TABLE IF NOT EXISTS `derived`.`imports` ON CLUSTER `main`
(
    `id` String COMMENT 'Made of the application and of what was imported',
    `app_id` LowCardinality(String) COMMENT 'Application',
    `product` LowCardinality(String) COMMENT 'plausible, umami or ga4',
    `first_day` Date COMMENT 'Its first day',
    `last_day` Date COMMENT 'Its last day',
    `rows` UInt64 COMMENT 'Its rows in `imported_days`',
    `views` UInt64 COMMENT 'Page views in it',
    `reports` String COMMENT 'Report -> its first and last day, as JSON',
    `files` String COMMENT 'Names of the files, as JSON',
    `at` DateTime64(3, 'UTC') COMMENT 'When it was imported',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`id`)
COMMENT 'One row per import of daily sums. What is not named here does not count: an import is written down when all of it is stored.';

CREATE DATABASE IF NOT EXISTS `derived` ON CLUSTER `main`;

CREATE TABLE IF NOT EXISTS `derived`.`view_repeats_local` ON CLUSTER `main`
(
    `view_id` String COMMENT 'The view',
    `app_id` LowCardinality(String) COMMENT 'Application',
    `session_id` String COMMENT 'The session that repeats it',
    `event_id` UUID COMMENT 'Its first view event there',
    `t` DateTime64(3, 'UTC') COMMENT 'Time of that event',
    `unit` String COMMENT 'What is made again as a whole: the session\'s id; `view <view_id>` for a view without a session; `event <event_id>` for an event with neither',
    `model_version` UInt64 COMMENT 'Grows with every making; of rows with one key the highest counts',
    `modelled_at` DateTime64(3, 'UTC') COMMENT 'When the row was made',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX unit_index `unit` TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX view_id_index `view_id` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', `model_version`, is_deleted)
PARTITION BY toDate(`t`)
ORDER BY (`app_id`, toDate(t), `unit`, `view_id`)
COMMENT 'One row per view that a session repeats. A view counts once, in the session of its first view event. Its id in another session (a tab left open, a page restored) is noted down here and is no row of `page_views`.';

CREATE TABLE IF NOT EXISTS `derived`.`view_repeats` ON CLUSTER `main` AS `derived`.`view_repeats_local`
ENGINE = Distributed('main', 'derived', 'view_repeats_local', cityHash64(`app_id`, toDate(t), `unit`, `view_id`));

CREATE DATABASE IF NOT EXISTS `derived` ON CLUSTER `main`;

CREATE TABLE IF NOT EXISTS `derived`.`cohort_members` ON CLUSTER `main`
(
    `cohort_id` String COMMENT 'The cohort',
    `id` String COMMENT 'A person ID, user ID or visitor ID',
    `folded` String COMMENT 'The ID in lower case, by which erasures look',
    `at` DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `is_deleted` UInt8 COMMENT 'The row is gone; left out by FINAL',
    INDEX folded_index `folded` TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', `at`, is_deleted)
ORDER BY (`cohort_id`, `id`)
COMMENT 'One row per cohort and ID. The IDs of cohorts that are lists. Whom they mean is looked up in `sessions` when a question is asked.';

ALTER TABLE `atomic`.`events_local` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `contexts_com_acme_cart_1` Array(JSON) COMMENT 'iglu:com.acme/cart/jsonschema/1-*-*';

ALTER TABLE `atomic`.`events` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `contexts_com_acme_cart_1` Array(JSON) COMMENT 'iglu:com.acme/cart/jsonschema/1-*-*';
