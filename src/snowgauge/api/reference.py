"""The reference page of all HTTP endpoints, made from what describes them to the programs that serve them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from snowgauge.api.agent import app as agent
from snowgauge.api.app import describe
from snowgauge.api.iglu import app as iglu
from snowgauge.api.micro import app as micro
from snowgauge.collector.pages.meanings import PAGES
from snowgauge.collector.routing import Kind, Routes
from snowgauge.collector.settings import CollectorSettings

_COLLECTOR: dict[Kind, str] = {
    "post": "Tracker protocol 2: several events in a JSON body.",
    "pixel": "Tracker protocol 1: one event in the query; answers with a transparent GIF.",
    "redirect": "Counts a click and redirects to the `u` of the query, where redirects are enabled.",
    "redirects_disabled": "Click redirects, off unless `collector.enable_default_redirect` is set: 404.",
    "preflight": "Answers browsers that ask before they send from another site.",
    "health": "`ok` while the process answers.",
    "sink_health": "`ok` while events can be kept, which a write has proven. The store is not asked.",
    "robots": "Keeps crawlers away.",
}
_ANY_VENDOR = "Requests of any vendor: webhooks, and paths of your own for trackers."
_SAMPLES = (
    ("POST", "/com.snowplowanalytics.snowplow/tp2", "/com.snowplowanalytics.snowplow/tp2"),
    ("GET", "/i", "/i"),
    ("GET", "/ice.png", "/ice.png"),
    ("POST", "/i", "/i"),
    ("POST", "/tracker", "/tracker"),
    ("GET, POST", "/{vendor}/{version}", "/com.acme/v1"),
    ("GET", "/r/tp2", "/r/tp2"),
    ("OPTIONS", "/{anything}", "/anything"),
    ("GET", "/health", "/health"),
    ("GET", "/sink-health", "/sink-health"),
    ("GET", "/ready", "/ready"),
    ("GET", "/robots.txt", "/robots.txt"),
)


def markdown() -> str:
    """The whole page."""
    lines = [
        "# Endpoints",
        "",
        "Two ports: the collector's is for the internet, the private one is for you.",
        "",
        "## Collector (default port 8000)",
        "",
        "Webhooks are tracking requests with a vendor of their own: see the guide to webhooks.",
        "",
        *_table((*_collector(), *PAGES)),
        "## Private port: health",
        "",
        "Without login.",
        "",
        *_table(
            (
                ("GET", "/health", "The process answers."),
                (
                    "GET",
                    "/ready",
                    "Events can be kept and stored, as a write has proven: 200, else 503 with what is wrong.",
                ),
                ("GET", "/metrics", "Figures of all processes in Prometheus' text format."),
            )
        ),
        "## Private port: the console's API",
        "",
        "Needs a login or an API key (`Authorization: Bearer`), except on loopback while nobody is registered.",
        "The OpenAPI document is at `/openapi.json`.",
        "",
        *_table(_described(describe("0"))),
        "## Private port: Micro API",
        "",
        "Needs the scope `read:events`. In `snowgauge micro` (default port 9090) it needs nothing. Every other path",
        "below `/micro` is 404.",
        "",
        *_table(micro.ENDPOINTS),
        "## Private port: schema registry",
        "",
        "An Iglu Server; keys come in the header `apikey`. Reading public schemas needs none.",
        "",
        *_table(iglu.ENDPOINTS),
        "## Private port: agent API",
        "",
        "Served once `agent.issuer` or `agent.static_token` is set. Every request needs an access token, except for",
        f"the OpenAPI document at `{agent.PREFIX}/openapi.json`. Figures only, never contents.",
        "",
        *_table(_described(agent.describe("0"), agent.PREFIX)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _collector() -> Iterator[tuple[str, str, str]]:
    routes = Routes(CollectorSettings())
    for methods, shown, sample in _SAMPLES:
        kinds = {routes.find(method, sample.encode()).kind for method in methods.split(", ")}
        # two kinds: any vendor's path takes both
        yield methods, shown, _COLLECTOR[kinds.pop()] if len(kinds) == 1 else _ANY_VENDOR


def _described(document: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            text = str(operation.get("description") or operation.get("summary") or "").split("\n\n")[0]
            yield method.upper(), prefix + path, " ".join(text.split())


def _table(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    shown = [f"| {method} | `{path}` | {meaning.replace('|', chr(92) + '|')} |" for method, path, meaning in rows]
    return ["| method | path | what it does |", "|---|---|---|", *shown, ""]
