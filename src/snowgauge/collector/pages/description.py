"""What the collector's port serves, as an OpenAPI document and as a page of plain HTML that loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import msgspec

import snowgauge
from snowgauge.collector.pages.answers import fixed
from snowgauge.collector.request import ASGIApp
from snowgauge.collector.routing import TRACKER_PROTOCOL_2
from snowgauge.collector.settings import CollectorSettings

_PAYLOAD = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["schema", "data"],
                "properties": {
                    "schema": {
                        "type": "string",
                        "examples": ["iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"],
                    },
                    "data": {
                        "type": "array",
                        "items": {"type": "object", "additionalProperties": {"type": "string"}},
                        "examples": [[{"e": "pv", "p": "web", "tv": "js-4.6.9", "url": "https://example.com/"}]],
                    },
                },
            }
        }
    },
}
_QUERY = {
    "name": "e",
    "in": "query",
    "description": "Type of the event; further parameters are those of Snowplow's tracker protocol.",
    "schema": {"type": "string", "examples": ["pv"]},
}


def _answer(description: str, media: str) -> dict[str, Any]:
    return {"description": description, "content": {media: {}}}


_REFUSED = {
    "400": {"description": "Not readable as HTTP, or a host that is not served."},
    "408": {"description": "The body did not come in time."},
    "413": {"description": "The body is too large."},
    "429": {"description": "Too many requests from this address; Retry-After says when to come again."},
    "503": {"description": "Cannot be kept at present; send it again."},
}


def _tracking_post(summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "tags": ["tracking"],
        "requestBody": _PAYLOAD,
        "responses": {"200": _answer("Kept.", "text/plain"), **_REFUSED},
    }


def _pixel(summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "tags": ["tracking"],
        "parameters": [_QUERY],
        "responses": {"200": _answer("Kept; a transparent pixel.", "image/gif"), **_REFUSED},
    }


def document(settings: CollectorSettings, address: str, more: Mapping[str, str]) -> dict[str, Any]:
    """The OpenAPI document. ``more``: further paths that answer GET, and what each is."""
    paths: dict[str, dict[str, Any]] = {
        TRACKER_PROTOCOL_2: {"post": _tracking_post("Events of a tracker"), "get": _pixel("One event of a tracker")}
    }
    for path in settings.post_paths:
        paths.setdefault(path, {})["post"] = _tracking_post("Events of a tracker")
    for path in settings.pixel_paths:
        paths.setdefault(path, {})["get"] = _pixel("One event of a tracker")
    for path, target in settings.paths.items():
        paths.setdefault(path, {}).setdefault(
            "post", {**_tracking_post(f"Kept as {target}"), "requestBody": {"content": {"*/*": {}}}}
        )
    paths["/{vendor}/{version}"] = {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in ("vendor", "version")
        ],
        "post": {
            "summary": "A webhook, or a tracker by its full path",
            "tags": ["tracking"],
            "requestBody": {"content": {"*/*": {}}},
            "responses": {"200": _answer("Kept.", "text/plain"), **_REFUSED},
        },
        "get": _pixel("A webhook that sends GET, or one event of a tracker"),
    }
    for path, what in {
        "/health": "The process answers",
        "/sink-health": "Events can be kept",
        "/ready": "Events can be kept",
        "/robots.txt": "For search engines",
        **more,
    }.items():
        paths[path] = {"get": {"summary": what, "tags": ["service"], "responses": {"200": {"description": what}}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Snowgauge collector",
            "version": snowgauge.__version__,
            "description": "Takes in events by Snowplow's tracker protocol, and webhooks.",
        },
        "servers": [{"url": address.rstrip("/")}],
        "paths": paths,
    }


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .75rem .35rem 0;"
    "border-bottom:1px solid #d8dee4;vertical-align:top}code{font-size:.9em}"
    "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}td,th{border-color:#30363d}"
    "a{color:#6cb6ff}}"
)


def html(described: Mapping[str, Any]) -> str:
    """The document for people."""
    rows = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            answers = ", ".join(operation["responses"])
            rows.append(
                f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code></td>"
                f"<td>{escape(operation['summary'])}</td><td>{answers}</td></tr>"
            )
    info = described["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1><p>{escape(info['description'])} "
        'For programs: <a href="/openapi.json">OpenAPI document</a>.</p><table><thead><tr><th>Method</th>'
        f"<th>Path</th><th>What it is</th><th>Answers</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        "</body></html>"
    )


def description(settings: CollectorSettings, address: str, more: Mapping[str, str]) -> dict[str, ASGIApp]:
    """The pages, by their paths."""
    described = document(settings, address, more)
    page = html(described).encode()
    return {
        "/openapi.json": fixed("/openapi.json", "application/json", msgspec.json.encode(described)),
        "/docs": fixed("/docs", "text/html; charset=utf-8", page),
        "/redoc": fixed("/redoc", "text/html; charset=utf-8", page),
    }
