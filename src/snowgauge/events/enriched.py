"""The canonical enriched event: 131 columns in the order of the enriched TSV (enrich 6.10)."""

from __future__ import annotations

from typing import Literal

import msgspec

from snowgauge.events.selfdescribing import SelfDescribing

Kind = Literal["string", "uuid", "timestamp", "int", "boolean", "decimal", "float", "event", "entities"]


class AtomicField(msgspec.Struct, frozen=True):
    """One column: its kind, and the default length limit in UTF-16 code units where it has one (enrich 6.10)."""

    name: str
    kind: Kind
    max_length: int | None = None


class EnrichedEvent(msgspec.Struct, gc=False, array_like=True):
    """One event after enrichment. ``None`` means not set; an empty string never occurs.

    By kind: *timestamp* is milliseconds since the epoch, UTC; *decimal* is text, because its precision is kept as
    received; *uuid* is lower-case text; *float* is a 32-bit value; ``contexts`` and ``derived_contexts`` are lists of
    entities without their wrapper, ``unstruct_event`` the self-describing event without its wrapper.
    """

    app_id: str | None = None
    platform: str | None = None
    etl_tstamp: int | None = None
    collector_tstamp: int | None = None
    dvce_created_tstamp: int | None = None
    event: str | None = None
    event_id: str | None = None
    txn_id: int | None = None
    name_tracker: str | None = None
    v_tracker: str | None = None
    v_collector: str | None = None
    v_etl: str | None = None
    user_id: str | None = None
    user_ipaddress: str | None = None
    user_fingerprint: str | None = None
    domain_userid: str | None = None
    domain_sessionidx: int | None = None
    network_userid: str | None = None
    geo_country: str | None = None
    geo_region: str | None = None
    geo_city: str | None = None
    geo_zipcode: str | None = None
    geo_latitude: float | None = None
    geo_longitude: float | None = None
    geo_region_name: str | None = None
    ip_isp: str | None = None
    ip_organization: str | None = None
    ip_domain: str | None = None
    ip_netspeed: str | None = None
    page_url: str | None = None
    page_title: str | None = None
    page_referrer: str | None = None
    page_urlscheme: str | None = None
    page_urlhost: str | None = None
    page_urlport: int | None = None
    page_urlpath: str | None = None
    page_urlquery: str | None = None
    page_urlfragment: str | None = None
    refr_urlscheme: str | None = None
    refr_urlhost: str | None = None
    refr_urlport: int | None = None
    refr_urlpath: str | None = None
    refr_urlquery: str | None = None
    refr_urlfragment: str | None = None
    refr_medium: str | None = None
    refr_source: str | None = None
    refr_term: str | None = None
    mkt_medium: str | None = None
    mkt_source: str | None = None
    mkt_term: str | None = None
    mkt_content: str | None = None
    mkt_campaign: str | None = None
    contexts: list[SelfDescribing] = msgspec.field(default_factory=list)
    se_category: str | None = None
    se_action: str | None = None
    se_label: str | None = None
    se_property: str | None = None
    se_value: str | None = None
    unstruct_event: SelfDescribing | None = None
    tr_orderid: str | None = None
    tr_affiliation: str | None = None
    tr_total: str | None = None
    tr_tax: str | None = None
    tr_shipping: str | None = None
    tr_city: str | None = None
    tr_state: str | None = None
    tr_country: str | None = None
    ti_orderid: str | None = None
    ti_sku: str | None = None
    ti_name: str | None = None
    ti_category: str | None = None
    ti_price: str | None = None
    ti_quantity: int | None = None
    pp_xoffset_min: int | None = None
    pp_xoffset_max: int | None = None
    pp_yoffset_min: int | None = None
    pp_yoffset_max: int | None = None
    useragent: str | None = None
    br_name: str | None = None
    br_family: str | None = None
    br_version: str | None = None
    br_type: str | None = None
    br_renderengine: str | None = None
    br_lang: str | None = None
    br_features_pdf: bool | None = None
    br_features_flash: bool | None = None
    br_features_java: bool | None = None
    br_features_director: bool | None = None
    br_features_quicktime: bool | None = None
    br_features_realplayer: bool | None = None
    br_features_windowsmedia: bool | None = None
    br_features_gears: bool | None = None
    br_features_silverlight: bool | None = None
    br_cookies: bool | None = None
    br_colordepth: str | None = None
    br_viewwidth: int | None = None
    br_viewheight: int | None = None
    os_name: str | None = None
    os_family: str | None = None
    os_manufacturer: str | None = None
    os_timezone: str | None = None
    dvce_type: str | None = None
    dvce_ismobile: bool | None = None
    dvce_screenwidth: int | None = None
    dvce_screenheight: int | None = None
    doc_charset: str | None = None
    doc_width: int | None = None
    doc_height: int | None = None
    tr_currency: str | None = None
    tr_total_base: str | None = None
    tr_tax_base: str | None = None
    tr_shipping_base: str | None = None
    ti_currency: str | None = None
    ti_price_base: str | None = None
    base_currency: str | None = None
    geo_timezone: str | None = None
    mkt_clickid: str | None = None
    mkt_network: str | None = None
    etl_tags: str | None = None
    dvce_sent_tstamp: int | None = None
    refr_domain_userid: str | None = None
    refr_dvce_tstamp: int | None = None
    derived_contexts: list[SelfDescribing] = msgspec.field(default_factory=list)
    domain_sessionid: str | None = None
    derived_tstamp: int | None = None
    event_vendor: str | None = None
    event_name: str | None = None
    event_format: str | None = None
    event_version: str | None = None
    event_fingerprint: str | None = None
    true_tstamp: int | None = None


ATOMIC_FIELDS: tuple[AtomicField, ...] = (
    AtomicField("app_id", "string", 255),
    AtomicField("platform", "string", 255),
    AtomicField("etl_tstamp", "timestamp"),
    AtomicField("collector_tstamp", "timestamp"),
    AtomicField("dvce_created_tstamp", "timestamp"),
    AtomicField("event", "string", 128),
    AtomicField("event_id", "uuid"),
    AtomicField("txn_id", "int"),
    AtomicField("name_tracker", "string", 128),
    AtomicField("v_tracker", "string", 100),
    AtomicField("v_collector", "string", 100),
    AtomicField("v_etl", "string", 100),
    AtomicField("user_id", "string", 255),
    AtomicField("user_ipaddress", "string", 128),
    AtomicField("user_fingerprint", "string", 128),
    AtomicField("domain_userid", "string", 128),
    AtomicField("domain_sessionidx", "int"),
    AtomicField("network_userid", "string", 128),
    AtomicField("geo_country", "string", 2),
    AtomicField("geo_region", "string", 3),
    AtomicField("geo_city", "string", 75),
    AtomicField("geo_zipcode", "string", 15),
    AtomicField("geo_latitude", "float"),
    AtomicField("geo_longitude", "float"),
    AtomicField("geo_region_name", "string", 100),
    AtomicField("ip_isp", "string", 100),
    AtomicField("ip_organization", "string", 128),
    AtomicField("ip_domain", "string", 128),
    AtomicField("ip_netspeed", "string", 100),
    AtomicField("page_url", "string", 10000),
    AtomicField("page_title", "string", 2000),
    AtomicField("page_referrer", "string", 10000),
    AtomicField("page_urlscheme", "string", 16),
    AtomicField("page_urlhost", "string", 255),
    AtomicField("page_urlport", "int"),
    AtomicField("page_urlpath", "string", 3000),
    AtomicField("page_urlquery", "string", 6000),
    AtomicField("page_urlfragment", "string", 3000),
    AtomicField("refr_urlscheme", "string", 16),
    AtomicField("refr_urlhost", "string", 255),
    AtomicField("refr_urlport", "int"),
    AtomicField("refr_urlpath", "string", 6000),
    AtomicField("refr_urlquery", "string", 6000),
    AtomicField("refr_urlfragment", "string", 3000),
    AtomicField("refr_medium", "string", 25),
    AtomicField("refr_source", "string", 50),
    AtomicField("refr_term", "string", 255),
    AtomicField("mkt_medium", "string", 255),
    AtomicField("mkt_source", "string", 255),
    AtomicField("mkt_term", "string", 255),
    AtomicField("mkt_content", "string", 500),
    AtomicField("mkt_campaign", "string", 255),
    AtomicField("contexts", "entities"),
    AtomicField("se_category", "string", 1000),
    AtomicField("se_action", "string", 1000),
    AtomicField("se_label", "string", 4096),
    AtomicField("se_property", "string", 1000),
    AtomicField("se_value", "decimal"),
    AtomicField("unstruct_event", "event"),
    AtomicField("tr_orderid", "string", 255),
    AtomicField("tr_affiliation", "string", 255),
    AtomicField("tr_total", "decimal"),
    AtomicField("tr_tax", "decimal"),
    AtomicField("tr_shipping", "decimal"),
    AtomicField("tr_city", "string", 255),
    AtomicField("tr_state", "string", 255),
    AtomicField("tr_country", "string", 255),
    AtomicField("ti_orderid", "string", 255),
    AtomicField("ti_sku", "string", 255),
    AtomicField("ti_name", "string", 255),
    AtomicField("ti_category", "string", 255),
    AtomicField("ti_price", "decimal"),
    AtomicField("ti_quantity", "int"),
    AtomicField("pp_xoffset_min", "int"),
    AtomicField("pp_xoffset_max", "int"),
    AtomicField("pp_yoffset_min", "int"),
    AtomicField("pp_yoffset_max", "int"),
    AtomicField("useragent", "string", 1000),
    AtomicField("br_name", "string", 50),
    AtomicField("br_family", "string", 50),
    AtomicField("br_version", "string", 50),
    AtomicField("br_type", "string", 50),
    AtomicField("br_renderengine", "string", 50),
    AtomicField("br_lang", "string", 255),
    AtomicField("br_features_pdf", "boolean"),
    AtomicField("br_features_flash", "boolean"),
    AtomicField("br_features_java", "boolean"),
    AtomicField("br_features_director", "boolean"),
    AtomicField("br_features_quicktime", "boolean"),
    AtomicField("br_features_realplayer", "boolean"),
    AtomicField("br_features_windowsmedia", "boolean"),
    AtomicField("br_features_gears", "boolean"),
    AtomicField("br_features_silverlight", "boolean"),
    AtomicField("br_cookies", "boolean"),
    AtomicField("br_colordepth", "string", 12),
    AtomicField("br_viewwidth", "int"),
    AtomicField("br_viewheight", "int"),
    AtomicField("os_name", "string", 50),
    AtomicField("os_family", "string", 50),
    AtomicField("os_manufacturer", "string", 50),
    AtomicField("os_timezone", "string", 255),
    AtomicField("dvce_type", "string", 50),
    AtomicField("dvce_ismobile", "boolean"),
    AtomicField("dvce_screenwidth", "int"),
    AtomicField("dvce_screenheight", "int"),
    AtomicField("doc_charset", "string", 128),
    AtomicField("doc_width", "int"),
    AtomicField("doc_height", "int"),
    AtomicField("tr_currency", "string", 3),
    AtomicField("tr_total_base", "decimal"),
    AtomicField("tr_tax_base", "decimal"),
    AtomicField("tr_shipping_base", "decimal"),
    AtomicField("ti_currency", "string", 3),
    AtomicField("ti_price_base", "decimal"),
    AtomicField("base_currency", "string", 3),
    AtomicField("geo_timezone", "string", 64),
    AtomicField("mkt_clickid", "string", 1000),
    AtomicField("mkt_network", "string", 64),
    AtomicField("etl_tags", "string", 500),
    AtomicField("dvce_sent_tstamp", "timestamp"),
    AtomicField("refr_domain_userid", "string", 128),
    AtomicField("refr_dvce_tstamp", "timestamp"),
    AtomicField("derived_contexts", "entities"),
    AtomicField("domain_sessionid", "string", 128),
    AtomicField("derived_tstamp", "timestamp"),
    AtomicField("event_vendor", "string", 1000),
    AtomicField("event_name", "string", 1000),
    AtomicField("event_format", "string", 128),
    AtomicField("event_version", "string", 128),
    AtomicField("event_fingerprint", "string", 128),
    AtomicField("true_tstamp", "timestamp"),
)
"""Every column, in the order of the TSV."""

ATOMIC_FIELD: dict[str, AtomicField] = {field.name: field for field in ATOMIC_FIELDS}
"""The same by name."""
