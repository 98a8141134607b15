"""Form bodies (``application/x-www-form-urlencoded``), read by the same rules as query strings (adapter facts 1.3)."""

from __future__ import annotations

from snowgauge.enrich import querystrings
from snowgauge.enrich.webhooks.failure_messages import bad_input


def read_form(text: str, *, complaint: str = "") -> dict[str, str | None]:
    """Fields by name, the last of a name winning; ``complaint`` is what a failure says before the parser's words."""
    try:
        return dict(querystrings.parse(text))
    except querystrings.BadQuery as error:
        raise bad_input("body", text, f"{complaint}{error}") from None
