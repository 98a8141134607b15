"""Ids that advertisers and mail senders append to addresses: whose they are, and what they say of a visit."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

Means = Literal["paid", "display", "affiliate", "email", "nothing"]


class ClickId(NamedTuple):
    """``network``: the source where nothing else names one. ``nothing``: the id hangs on unpaid links, too."""

    parameter: str
    network: str
    means: Means


_ALL = (
    ClickId("gclid", "Google", "paid"),
    ClickId("wbraid", "Google", "paid"),
    ClickId("gbraid", "Google", "paid"),
    ClickId("gad_source", "Google", "paid"),
    ClickId("dclid", "DoubleClick", "display"),
    ClickId("msclkid", "Bing", "paid"),
    ClickId("yclid", "Yandex", "paid"),
    ClickId("twclid", "X", "paid"),
    ClickId("li_fat_id", "LinkedIn", "paid"),
    ClickId("ttclid", "TikTok", "paid"),
    ClickId("rdt_cid", "Reddit", "paid"),
    ClickId("epik", "Pinterest", "paid"),
    ClickId("ScCid", "Snapchat", "paid"),
    ClickId("irclickid", "Impact", "affiliate"),
    ClickId("cjevent", "CJ", "affiliate"),
    ClickId("awc", "Awin", "affiliate"),
    ClickId("mc_cid", "Mailchimp", "email"),
    ClickId("mc_eid", "Mailchimp", "email"),
    ClickId("_hsenc", "HubSpot Mail", "email"),
    ClickId("_hsmi", "HubSpot Mail", "email"),
    ClickId("mkt_tok", "Marketo", "email"),
    ClickId("_kx", "Klaviyo", "email"),
    ClickId("vero_id", "Vero", "email"),
    ClickId("ck_subscriber_id", "Kit", "email"),
    ClickId("fbclid", "Facebook", "nothing"),
    ClickId("igshid", "Instagram", "nothing"),
    ClickId("srsltid", "Google", "nothing"),
)
_BY_NAME = {one.parameter.lower(): one for one in _ALL}
_MENTIONED = re.compile("|".join(re.escape(one.parameter) for one in _ALL), re.IGNORECASE)
_ORDER = {one.parameter: at for at, one in enumerate(_ALL)}
_OF_NETWORK = {"google": "gclid", "microsoft": "msclkid", "doubleclick": "dclid"}
"""Networks as the campaign enrichment names them by default (Snowplow's ``campaign_attribution``)."""


def click_id(query: str, network: str) -> ClickId | None:
    """The click id of an address's query, else the one that the network of ``mkt_network`` means."""
    found = []
    if _MENTIONED.search(query):  # taking the query apart costs ten times as much
        found = [
            _BY_NAME[name.lower()]
            for name, value in parse_qsl(query[:10_000], max_num_fields=None)
            if value and name.lower() in _BY_NAME
        ]
    if found:
        return min(found, key=lambda one: _ORDER[one.parameter])
    return _BY_NAME.get(_OF_NETWORK.get(network.strip().lower(), ""))
