"""What each page on the collector's port is, in one place: for its own description and for the reference."""

from __future__ import annotations

ROOT = "The whole system works, database included: 200, else 502 with what is unreachable."
FIGURES = "Figures of all processes in Prometheus' text format."
DOCS = "What the port serves, as a page."
OPENAPI = "What the port serves, as an OpenAPI document."

PAGES: tuple[tuple[str, str, str], ...] = (
    ("GET", "/", f"{ROOT} Yours with `collector.root_response`."),
    ("GET", "/docs, /redoc", f"{DOCS} Not with `security.disable_docs`."),
    ("GET", "/openapi.json", f"{OPENAPI} Not with `security.disable_docs`."),
    ("GET", "/metrics", f"{FIGURES} Only with `prometheus.enabled`."),
    ("POST", "/sendgrid", "SendGrid's webhook under Simple Snowplow's path; the same as `/com.sendgrid/v3`."),
)
"""Method, path and meaning, as the reference lists them."""
