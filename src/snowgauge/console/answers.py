"""How the console's applications answer, and what their pages may load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def policy(nonce: str, *, forms: str = "'none'", frames: Sequence[str] = ()) -> str:
    """A Content-Security-Policy: a page loads from this port only. ``forms``: where it may send a form. ``frames``:
    origins that may embed it."""
    ancestors = " ".join(frames) or "'none'"
    return (
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; base-uri 'none'; form-action {forms}; "
        f"frame-ancestors {ancestors}"
    )


async def answer(send: Any, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
    """Send a whole response."""
    pairs = {"content-type": kind, "content-length": str(len(body)), **headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
