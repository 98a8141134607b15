"""ClickHouse's exceptions as its HTTP interface shows them: text, code header, status."""

from __future__ import annotations

import re

_CODE = re.compile(r"Code: (\d+)\. ")
_STATUS: dict[int, tuple[int, ...]] = {
    400: (6, 25, 26, 27, 36, 38, 41, 43, 53, 62, 69, 72, 117, 130, 131, 321, 427, 456, 457),
    401: (194,),
    403: (192, 193, 291, 516),
    404: (46, 47, 50, 56, 60, 63, 73, 75, 78, 81, 115, 218),
    408: (159,),
    411: (381,),
    413: (298, 307),
    501: (48,),
    503: (209, 210, 439),
}
_STATUS_OF = {code: status for status, codes in _STATUS.items() for code in codes}


class EngineError(Exception):
    """An exception of the engine or of this interface, with ClickHouse's error code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """The HTTP status that ClickHouse answers with (26.x)."""
        return _STATUS_OF.get(self.code, 500)

    def body(self, version: str) -> bytes:
        text = self.text
        if "(version " not in text:
            text = f"{text} (version {version} (snowgauge embedded))"
        return (text + "\n").encode("utf-8", "replace")


def error(code: int, name: str, message: str) -> EngineError:
    """An exception of our own, worded like ClickHouse's."""
    return EngineError(code, f"Code: {code}. DB::Exception: {message} ({name})")


def from_engine(raised: BaseException) -> EngineError:
    """The library raises ``RuntimeError`` with ClickHouse's text."""
    text = str(raised)
    found = _CODE.search(text)
    if not found:
        return EngineError(1001, f"Code: 1001. DB::Exception: {text or type(raised).__name__} (STD_EXCEPTION)")
    return EngineError(int(found[1]), text[found.start() :].strip())
