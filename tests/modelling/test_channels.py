"""Where visits come from: the channel and the source of a landing."""

from __future__ import annotations

import pytest

from snowgauge.modelling.applications import Application, read_application
from snowgauge.modelling.channels.attribution import Landing, origin

EMPTY = Landing("", "", "", "", "", "", "", "", "/")
PLAIN = Application()


@pytest.mark.parametrize(
    ("landing", "channel", "source"),
    [
        ({}, "Direct", ""),
        ({"refr_medium": "search", "refr_source": "Google"}, "Organic Search", "Google"),
        ({"refr_medium": "search", "refr_source": "Google", "mkt_medium": "cpc"}, "Paid Search", "Google"),
        ({"refr_medium": "search", "refr_source": "Google", "query": "gclid=x"}, "Paid Search", "Google"),
        ({"query": "msclkid=1"}, "Paid Search", "Bing"),
        ({"mkt_source": "fb", "mkt_medium": "social"}, "Organic Social", "Facebook"),
        ({"mkt_source": "fb-ads"}, "Paid Social", "Facebook"),
        ({"refr_urlhost": "l.facebook.com", "query": "fbclid=abc"}, "Organic Social", "Facebook"),
        ({"refr_urlhost": "m.youtube.com", "refr_medium": "social"}, "Organic Video", "YouTube"),
        ({"refr_urlhost": "chatgpt.com"}, "AI Assistants", "ChatGPT"),
        ({"refr_medium": "chatbot", "refr_source": "Some Bot"}, "AI Assistants", "Some Bot"),
        ({"refr_urlhost": "www.news.example", "refr_medium": "unknown"}, "Referral", "news.example"),
        ({"refr_urlhost": "www.google.co.uk"}, "Organic Search", "Google"),
        ({"refr_urlhost": "google.example.com"}, "Referral", "google.example.com"),
        ({"mkt_medium": "email", "mkt_source": "march"}, "Email", "march"),
        ({"mkt_source": "newsletter"}, "Email", "newsletter"),
        ({"query": "mc_cid=1"}, "Email", "Mailchimp"),
        ({"mkt_medium": "banner", "mkt_source": "ads.example"}, "Display", "ads.example"),
        ({"mkt_medium": "cpm", "mkt_source": "google"}, "Paid Search", "Google"),
        ({"mkt_medium": "affiliate", "mkt_source": "p"}, "Affiliates", "p"),
        ({"mkt_campaign": "spring-shopping", "mkt_medium": "cpc"}, "Paid Shopping", ""),
        ({"mkt_campaign": "workshop"}, "Other campaign", ""),
        ({"mkt_campaign": "spring"}, "Other campaign", ""),
        ({"mkt_campaign": "x cross-network y"}, "Cross-network", ""),
        ({"query": "ref=hackernews"}, "Organic Social", "Hacker News"),
        ({"refr_urlhost": "com.reddit.frontpage"}, "Organic Social", "Reddit"),
        ({"mkt_medium": "web_push", "mkt_source": "one"}, "Mobile Push Notifications", "one"),
        ({"refr_medium": "internal", "refr_urlhost": "shop.example"}, "Direct", ""),
    ],
)
def test_the_channel_and_source_of_a_landing(landing: dict[str, str], channel: str, source: str) -> None:
    found = origin(EMPTY._replace(**landing), PLAIN)
    assert (found.channel, found.source) == (channel, source)


def test_a_page_of_the_same_site_is_no_source() -> None:
    application = read_application({"own_hosts": ["example.com"]}, "shop")
    found = origin(EMPTY._replace(refr_urlhost="pay.example.com", refr_medium="unknown"), application)
    assert (found.channel, found.source, found.inside) == ("Direct", "", True)


def test_own_rules_come_first() -> None:
    application = read_application({"channels": [{"channel": "Partners", "source": "*.partner.example"}]}, "shop")
    found = origin(EMPTY._replace(refr_urlhost="a.partner.example", refr_medium="unknown"), application)
    assert found.channel == "Partners"
    assert origin(EMPTY, application).channel == "Direct"
