"""JSON text, for those who look for it here: see ``snowgauge.events.json_text``."""

from __future__ import annotations

from snowgauge.events.json_text import BadJson, compact, plain, read

__all__ = ["BadJson", "compact", "plain", "read"]
