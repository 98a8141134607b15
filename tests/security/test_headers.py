"""What the console's page may load and who may frame it, on every path and in every answer."""

from __future__ import annotations

import asyncio
import re

import pytest

from snowgauge.console.site import Console
from snowgauge.testing.asgi import call, scope


@pytest.mark.parametrize("path", ["/", "/live", "/failed/x", "/nothing-like-it"])
def test_the_page_may_load_from_its_own_port_only(path):
    answers = [asyncio.run(call(Console(), scope("GET", path))) for _ in range(2)]
    policies = [answer["content-security-policy"] for answer in answers]
    for policy in policies:
        rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == "'self'"
        assert rules["frame-ancestors"] == "'none'"
        assert rules["base-uri"] == "'none'"
        assert "unsafe" not in policy
        assert not re.search(r"https?:|\*", policy), "another host may be loaded from"
    assert policies[0] != policies[1], "the nonce of styles is the same in every answer"
