"""``Content-Type`` as Snowplow's collector stores it, and the charset to read a body with.

Enrich compares the stored text exactly, so its form matters: parsed, rendered with canonical charset, lower-cased.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105  the grammar's word, not a secret
_MEDIA_TYPE = re.compile(rf"\s*({_TOKEN}/{_TOKEN})\s*")
_PARAMETER = re.compile(rf';\s*(?:({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\]|\\.)*)"))?\s*')

_CHARSETS = {
    "utf-8": "utf-8", "ascii": "us-ascii", "utf-16": "utf-16", "utf-16-le": "utf-16le", "utf-16-be": "utf-16be",
    "utf-32": "utf-32", "utf-32-le": "utf-32le", "utf-32-be": "utf-32be", "koi8-r": "koi8-r", "koi8-u": "koi8-u",
    "big5": "big5", "gb2312": "gb2312", "gbk": "gbk", "gb18030": "gb18030", "shift_jis": "shift_jis",
    "euc_jp": "euc-jp", "euc_kr": "euc-kr", "iso2022_jp": "iso-2022-jp",
    **{f"iso8859-{n}": f"iso-8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15)},
    **{f"cp{n}": f"windows-{n}" for n in range(1250, 1259)},
}  # fmt: skip
"""Python's name of a charset -> the canonical name. Others are unknown: Python also knows encodings of no charset."""


def _parse(value: bytes) -> tuple[str | None, str]:
    text = value.decode("latin-1")
    found = _MEDIA_TYPE.match(text)
    if not found:
        return None, "utf-8"
    rendered, charset, codec = found[1], "", "utf-8"
    position = found.end()
    while position < len(text):
        parameter = _PARAMETER.match(text, position)
        if not parameter:
            return None, "utf-8"
        position = parameter.end()
        name = parameter[1]
        if name is None:
            continue
        content = parameter[2] if parameter[3] is None else re.sub(r"\\(.)", r"\1", parameter[3])
        if name.lower() == "charset":
            known = _codec(content)
            if known:
                codec, charset = known, f"; charset={_CHARSETS[known]}"
        else:
            escaped = content.replace("\\", "\\\\").replace('"', '\\"')
            rendered += f'; {name}="{escaped}"'
    return (rendered + charset).lower(), codec


def _codec(charset: str) -> str | None:
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return None
    return name if name in _CHARSETS else None


_remembered = lru_cache(maxsize=1024)(_parse)


def parse_content_type(value: bytes | None) -> tuple[str | None, str]:
    """The normalised content type (``None``: absent or not one) and the codec of the body's text."""
    if value is None:
        return None, "utf-8"
    return _remembered(value) if len(value) <= 128 else _parse(value)
