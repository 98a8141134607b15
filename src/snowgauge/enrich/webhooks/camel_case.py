"""``snake_case`` and ``Dash-Case`` keys of JSON in camelCase (adapter facts 1.5)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_WORD_START = re.compile("[_-]([A-Za-z0-9_])")


@lru_cache(maxsize=4096)
def camel_case(name: str) -> str:
    """``X-Mailgun-Sid`` is ``xMailgunSid``, ``page_id`` is ``pageId``, ``data.json`` stays."""
    return _WORD_START.sub(lambda found: found[1].upper(), name[:1].lower() + name[1:])


def camel_case_keys(json: Any) -> Any:
    """A copy with all keys in camelCase, inside arrays too. Of keys that become one, the last wins."""
    match json:
        case dict():
            return {camel_case(key): camel_case_keys(value) for key, value in json.items()}
        case list():
            return [camel_case_keys(item) for item in json]
    return json
