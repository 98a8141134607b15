"""Regular expressions of Java, as far as Python has them."""

from __future__ import annotations

import re
from typing import Any

from snowgauge.errors import ActionRefused


def java_regex(text: Any, place: str) -> re.Pattern[str]:
    """Java's syntax as far as Python has it: ``(?U)`` is how Python reads text anyway."""
    if not isinstance(text, str):
        raise ActionRefused(f"{place}: a regular expression must be text, found {text!r}")
    changed = re.sub(r"^\(\?([a-zA-Z]+)\)", lambda f: f"(?{kept})" if (kept := f[1].replace("U", "")) else "", text)
    changed = re.sub(r"\(\?<([a-zA-Z][a-zA-Z0-9]*)>", r"(?P<\1>", changed)
    changed = changed.replace(r"\z", r"\Z")
    try:
        return re.compile(changed)
    except re.error as error:
        raise ActionRefused(f"{place}: {text!r} is not a regular expression that can be used: {error}") from None
