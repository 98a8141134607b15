"""Columns that several tables have with one meaning: where a visit came from, where its visitor is, with what
device."""

from __future__ import annotations

from snowgauge.modelling.definition import Column, Type

REFERRER = (
    Column("page_referrer", Type.TEXT, "The referring page's address, as the tracker sent it"),
    Column("refr_urlhost", Type.LABEL, "Its host"),
    Column("refr_urlpath", Type.TEXT, "Its path"),
    Column(
        "refr_medium", Type.LABEL, "What kind of site it is: search, social, email, paid, chatbot, internal, unknown"
    ),
    Column("refr_source", Type.LABEL, "Its name, such as Google"),
    Column("refr_term", Type.TEXT, "The words searched for, where the site tells"),
)
MARKETING = (
    Column("mkt_medium", Type.LABEL, "utm_medium"),
    Column("mkt_source", Type.LABEL, "utm_source"),
    Column("mkt_term", Type.TEXT, "utm_term"),
    Column("mkt_content", Type.TEXT, "utm_content"),
    Column("mkt_campaign", Type.LABEL, "utm_campaign"),
    Column("mkt_clickid", Type.TEXT, "The advertiser's id of the click"),
    Column("mkt_network", Type.LABEL, "The advertising network of that id"),
)
PLACE = (
    Column("geo_country", Type.LABEL, "Country, ISO 3166-1 alpha-2"),
    Column("geo_region", Type.LABEL, "Region, the second part of ISO 3166-2"),
    Column("geo_region_name", Type.LABEL, "The region's name"),
    Column("geo_city", Type.LABEL, "City"),
)
DEVICE = (
    Column("br_family", Type.LABEL, "Browser: of ua_parser, else of YAUAA, else `br_family`"),
    Column("br_version", Type.LABEL, "The browser's version, from the same"),
    Column("os_family", Type.LABEL, "Operating system, from the same"),
    Column("os_version", Type.LABEL, "Its version, from the same"),
    Column("dvce_type", Type.LABEL, "Device class of YAUAA, else `dvce_type`"),
    Column("screen", Type.LABEL, "Screen, `width x height` in pixels written as `1920x1080`"),
    Column("br_lang", Type.LABEL, "The browser's language"),
    Column("os_timezone", Type.LABEL, "The device's time zone"),
)
