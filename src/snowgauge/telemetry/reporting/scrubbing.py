"""What may be sent to an outside service.

Text of an exception is told only when the text is ours or the operating system's: that of any other may quote what a
visitor sent (``KeyError: 'jane@example.com'``). Of what is told, everything that looks like a person is blanked.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from snowgauge.errors import SnowgaugeError

LEFT_OUT = "(left out: it may quote what a visitor sent)"
_LONGEST = 500
_FIELDS_LEFT_OUT = frozenset(("path", "url", "query", "body", "payload", "record", "input", "headers", "cookie", "ip"))
_BLANKED = re.compile(
    r"""
      [\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+                                   # e-mail addresses
    | \b\d{1,3}(?:\.\d{1,3}){3}\b                                              # IPv4
    | (?<![\w:])(?=[0-9a-f:]*::|(?:[0-9a-f]{1,4}:){7})(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])  # IPv6
    | \b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b                          # ids of visitors, sessions, events
    | (?<=\?)[^\s'")]+                                                         # query strings
    | \b[A-Za-z0-9_+/=-]{40,}                                                  # keys, Base64, hashes
    """,
    re.VERBOSE | re.IGNORECASE,
)


def text(value: str) -> str:
    """The text with addresses, e-mail addresses, ids, query strings and long tokens blanked."""
    return _BLANKED.sub("***", value)[:_LONGEST]


def fields(line: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """What of a log line may be told."""
    told: dict[str, str | int | float | bool] = {}
    for name, value in line.items():
        if name not in _FIELDS_LEFT_OUT:
            told[name] = value if isinstance(value, bool | int | float) else text(str(value))
    return told


def told(module: str | None, kind: str | None, message: str) -> str:
    """What may be told of the text of an exception that is known by its names only."""
    found = getattr(sys.modules.get(module or "builtins"), kind or "", None)
    ours = isinstance(found, type) and issubclass(found, SnowgaugeError | OSError)
    return text(message) if ours else LEFT_OUT
