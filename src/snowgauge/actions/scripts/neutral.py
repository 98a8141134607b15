"""The ad-blocker kit: neutral names made of a seed, and what to write into a page or a proxy so that they are used.

The same seed gives the same names every time. Letters and digits only, beginning with a letter, so that they fit paths,
file names and cookies alike.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Literal

import msgspec

from snowgauge.errors import SettingsError

Rules = Literal["nginx", "caddy", "traefik"]

_LETTERS = "abcdefghijkmnpqrstuvwxyz"
_SIGNS = _LETTERS + "23456789"
TRACKER_PROTOCOL_2 = "/com.snowplowanalytics.snowplow/tp2"


class NeutralNames(msgspec.Struct, frozen=True):
    """Paths with their leading slash. ``cookie`` is the server's, ``client`` the prefix of the tracker's own cookies,
    ``function`` the page's function."""

    script: str
    post: str
    pixel: str
    cookie: str
    client: str
    function: str


def neutral_names(seed: str) -> NeutralNames:
    """Raises ``SettingsError`` when there is no seed: everyone would have the same names."""
    if len(seed.strip()) < 8:
        raise SettingsError(
            "scripts.neutral.seed: needs at least 8 characters of your own choice; names are made of it and stay the "
            "same as long as it does"
        )

    def word(purpose: str, length: int) -> str:
        digest = hmac.new(seed.encode(), purpose.encode(), hashlib.sha256).digest()
        first = _LETTERS[digest[0] % len(_LETTERS)]
        return first + "".join(_SIGNS[byte % len(_SIGNS)] for byte in digest[1:length])

    return NeutralNames(
        script=f"/{word('script folder', 5)}/{word('script', 8)}.js",
        post=f"/{word('post', 6)}/{word('post end', 5)}",
        pixel=f"/{word('pixel', 7)}",
        cookie=word("cookie", 6),
        client=f"_{word('client', 5)}_",
        function=word("function", 7),
    )


def snippet(collector: str, *, names: NeutralNames | None = None, app_id: str = "my-app", script: str = "") -> str:
    """A page's header script. ``collector`` is the collector's address; ``script`` the tracker's, when it is elsewhere.

    Without ``names`` the usual ones are used.
    """
    function = names.function if names else "snowplow"
    source = script or collector.rstrip("/") + (names.script if names else "/static/sp.js")
    options: dict[str, object] = {"appId": app_id}
    if names:
        options |= {"postPath": names.post, "cookieName": names.client}
    return f"""<script>
(function (page, name, address) {{
  if (page[name]) return;
  (page.GlobalSnowplowNamespace = page.GlobalSnowplowNamespace || []).push(name);
  page[name] = function () {{ page[name].q.push(arguments); }};
  page[name].q = [];
  var script = document.createElement('script');
  script.async = true;
  script.src = address;
  document.head.appendChild(script);
}})(window, {_literal(function)}, {_literal(source)});

{function}('newTracker', 'sp', {_literal(collector)}, {_literal(options)});
{function}('enableActivityTracking', {{ minimumVisitLength: 5, heartbeatDelay: 10 }});
{function}('trackPageView');
</script>
"""


def _literal(value: object) -> str:
    """A JavaScript literal that may stand in a page."""
    return json.dumps(value, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e")


def proxy_rules(kind: Rules, names: NeutralNames, upstream: str) -> str:
    """Rules that let a site's own web server answer on the neutral names: the collector is never seen by the browser.

    ``upstream`` is the collector's address as that server reaches it. The collector has ``scripts.neutral`` on, so
    paths are handed through unchanged.
    """
    paths = [names.script, names.post, names.pixel]
    if kind == "nginx":
        blocks = [
            f"location = {path} {{\n"
            f"    proxy_pass {upstream.rstrip('/')};\n"
            "    proxy_set_header Host $host;\n"
            "    proxy_set_header X-Forwarded-For $remote_addr;\n"
            "    proxy_set_header X-Forwarded-Proto $scheme;\n"
            "}\n"
            for path in paths
        ]
        return "".join(blocks)
    if kind == "caddy":
        matcher = " ".join(paths)
        return f"@measured path {matcher}\nreverse_proxy @measured {upstream.rstrip('/')}\n"
    rule = " || ".join(f"Path(`{path}`)" for path in paths)
    return (
        "http:\n"
        "  routers:\n"
        "    measured:\n"
        f'      rule: "{rule}"\n'
        "      priority: 1000\n"
        "      service: measured\n"
        "  services:\n"
        "    measured:\n"
        "      loadBalancer:\n"
        "        servers:\n"
        f'          - url: "{upstream.rstrip("/")}"\n'
    )
