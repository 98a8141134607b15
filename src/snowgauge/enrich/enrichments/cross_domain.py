"""The cross-domain linker ``_sp`` of a page URL, read the way enrich 6.10 reads it.

The two columns it gives are set on every event; the entity belongs to the cross navigation enrichment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from snowgauge.enrich.transform.base64_text import decode_text
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.timestamps import MAX_MS, MIN_MS, iso_text
from snowgauge.events.tsv_text import tsv_safe

_PIECES = 7
_LONG = re.compile(r"[+-]?\d+")
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Linker(msgspec.Struct, frozen=True):
    """What one ``_sp`` says. ``timestamp`` is milliseconds since the epoch."""

    domain_user_id: str | None = None
    timestamp: int | None = None
    session_id: str | None = None
    user_id: str | None = None
    source_id: str | None = None
    source_platform: str | None = None
    reason: str | None = None

    def entity(self) -> dict[str, str | None]:
        """Data of a ``cross_navigation`` entity; all keys are always there."""
        moment = None if self.timestamp is None else _shortest(self.timestamp)
        return {
            "domain_user_id": self.domain_user_id,
            "timestamp": moment,
            "session_id": self.session_id,
            "user_id": self.user_id,
            "source_id": self.source_id,
            "source_platform": self.source_platform,
            "reason": self.reason,
        }


_NOTHING = Linker()


def linker_of(page_query: Sequence[tuple[str, str | None]]) -> Linker:
    """The linker of a page URL's query; an empty one when there is none or it has too many pieces.

    Raises ``EnrichmentFailure`` (field ``sp_dtm``) for a timestamp that is none; no column may be set then.
    """
    text = None
    for name, value in page_query:
        if name == "_sp":
            text = value
    if not text:
        return _NOTHING
    pieces = text.split(".")
    if len(pieces) > _PIECES:
        return _NOTHING
    pieces += [""] * (_PIECES - len(pieces))
    return Linker(
        tsv_safe(pieces[0]),
        _milliseconds(pieces[1]),
        _filled(pieces[2]),
        _filled(decode_text(pieces[3])),
        _filled(decode_text(pieces[4])),
        _filled(pieces[5]),
        _filled(decode_text(pieces[6])),
    )


def _filled(text: str) -> str | None:
    return text if text.strip() else None


def _milliseconds(text: str) -> int | None:
    if not text:
        return None
    if not _LONG.fullmatch(text) or not -(2**63) <= (ms := int(text)) < 2**63:
        raise EnrichmentFailure("Not in the expected format: ms since epoch", field="sp_dtm", value=text)
    if not MIN_MS <= ms <= MAX_MS:
        raise EnrichmentFailure(f"Formatting as {_any_year(ms)} is not Redshift-compatible", field="sp_dtm", value=text)
    return ms


def _any_year(ms: int) -> str:
    """``yyyy-MM-dd HH:mm:ss.SSS`` for years that Python's calendar does not have: moved by whole 400-year cycles."""
    days, within = divmod(ms, 86_400_000)
    cycles, day = divmod(days, _CYCLE_DAYS)
    moment = _EPOCH + timedelta(days=day, milliseconds=within)
    year = moment.year + cycles * _CYCLE_YEARS
    sign = "-" if year < 0 else ""
    return f"{sign}{abs(year):04d}{moment.strftime('-%m-%d %H:%M:%S')}.{within % 1000:03d}"


def _shortest(ms: int) -> str:
    """ISO form with the zeros at the end of the fraction left out, and no fraction for whole seconds."""
    return iso_text(ms)[:-1].rstrip("0").rstrip(".") + "Z" if ms % 1000 else iso_text(ms)[:-5] + "Z"
