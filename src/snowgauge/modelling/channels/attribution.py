"""The source and the channel of a landing."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from snowgauge.modelling.applications import Application, ChannelRule
from snowgauge.modelling.channels.click_ids import ClickId, click_id
from snowgauge.modelling.channels.sources import PAID_TAGS, kind_of, named
from snowgauge.modelling.paths import matches

_PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*")
_SHOP = re.compile(r".*(?:(?:[^a-df-z]|^)shop|shopping).*")
_DISPLAY = frozenset(["display", "banner", "expandable", "interstitial", "cpm"])
_SOCIAL = frozenset(["social", "social-network", "social-media", "sm", "social network", "social media"])
_EMAIL = ("email", "e-mail", "e_mail", "e mail", "newsletter")
_REFERRAL = frozenset(["referral", "app", "link"])
_OF_MEDIUM = {"search": "search", "social": "social", "email": "email", "chatbot": "ai", "paid": "paid"}
"""Kinds of source, by ``refr_medium``."""

DIRECT = "Direct"


class Landing(NamedTuple):
    """What is known of the page that a visit began with, and of the page before it."""

    mkt_medium: str
    mkt_source: str
    mkt_campaign: str
    mkt_network: str
    refr_medium: str
    refr_source: str
    refr_urlhost: str
    query: str
    path: str


class Origin(NamedTuple):
    """``source`` empty: direct. ``click_id``: the parameter that held one. ``inside``: the visit goes on from a page of
    the same site and nothing says where it came from."""

    channel: str
    source: str
    click_id: str
    inside: bool


def origin(landing: Landing, application: Application) -> Origin:
    """Own rules first, then the channels in their order. Never "unassigned"."""
    found = click_id(landing.query, landing.mkt_network)
    internal = landing.refr_medium == "internal" or _own(landing.refr_urlhost, application)
    tag = landing.mkt_source.strip() or _tagged(landing.query, application)
    source = named(tag) if tag else "" if internal else named(landing.refr_source or _host(landing.refr_urlhost))
    if not source and found is not None:
        source = found.network
    medium, campaign = landing.mkt_medium.strip().lower(), landing.mkt_campaign.strip().lower()
    for rule in application.channels:
        if _meets(rule, landing, source, found):
            return Origin(rule.channel, source, found.parameter if found else "", inside=False)
    kind = kind_of(source) or ("" if tag or internal else _OF_MEDIUM.get(landing.refr_medium, ""))
    channel = _channel(kind, source, medium, campaign, tag.lower(), found)
    inside = internal and not (source or medium or campaign or found)
    return Origin(channel, source, found.parameter if found else "", inside)


def _channel(kind: str, source: str, medium: str, campaign: str, tag: str, found: ClickId | None) -> str:
    means = found.means if found is not None else "nothing"
    paid = _PAID.fullmatch(medium) is not None
    bought = paid or tag in PAID_TAGS or means == "paid"
    shop = kind == "shopping" or _SHOP.fullmatch(campaign) is not None
    rules: tuple[tuple[str, bool], ...] = (
        ("Cross-network", "cross-network" in campaign),
        ("Paid Shopping", shop and paid),
        ("Paid Search", kind == "search" and bought),
        ("Paid Social", kind == "social" and bought),
        ("Paid Video", kind == "video" and bought),
        ("Display", medium in _DISPLAY or means == "display"),
        ("Paid Other", paid or kind == "paid" or means == "paid"),
        ("Organic Shopping", shop),
        ("Organic Video", kind == "video" or "video" in medium),
        ("Organic Social", kind == "social" or medium in _SOCIAL),
        ("AI Assistants", kind == "ai" or medium == "chatbot"),
        ("Organic Search", kind == "search" or medium == "organic"),
        ("Email", kind == "email" or means == "email" or any(one in text for one in _EMAIL for text in (medium, tag))),
        ("Affiliates", medium == "affiliate" or means == "affiliate"),
        ("Audio", medium == "audio"),
        ("SMS", "sms" in (medium, tag)),
        ("Mobile Push Notifications", medium.endswith("push") or "mobile" in medium or "notification" in medium
         or tag == "firebase"),
        ("Referral", medium in _REFERRAL or bool(source)),
        ("Other campaign", bool(medium or campaign)),
    )  # fmt: skip
    return next((name for name, holds in rules if holds), DIRECT)


def _meets(rule: ChannelRule, landing: Landing, source: str, found: ClickId | None) -> bool:
    held = (
        (rule.source, source),
        (rule.medium, landing.mkt_medium),
        (rule.campaign, landing.mkt_campaign),
        (rule.referrer_host, landing.refr_urlhost),
        (rule.click_id, found.parameter if found else ""),
        (rule.landing_path, landing.path),
    )
    return all(not wanted or matches(wanted.lower(), value.strip().lower()) for wanted, value in held)


def _tagged(query: str, application: Application) -> str:
    if not any(f"{name}=" in query for name in application.source_parameters):
        return ""
    given = dict(reversed(parse_qsl(query[:10_000])))
    for name in application.source_parameters:
        if value := given.get(name, "").strip():
            return value
    return ""


def _own(host: str, application: Application) -> bool:
    host = host.lower()
    return any(host == own.lower() or host.endswith(f".{own.lower()}") for own in application.own_hosts)


def _host(host: str) -> str:
    return host.lower().removeprefix("www.")
