"""Reading the body of a request: bounded in size and time, gzip undone.

Snowplow's collector does not inflate bodies. Here ``Content-Encoding: gzip`` is undone, never beyond the limit; one
that is not gzip after all is kept as it came, as Snowplow's would keep it, and so ends as a failed event.
"""

from __future__ import annotations

import asyncio
import zlib

from snowgauge.collector.request import Request

_SLICE = 16_384
_MAX_MEMBERS = 64


class BodyTooLarge(Exception):
    """The body reaches the limit: 413."""


class BodyIncomplete(Exception):
    """The client left or broke off the body: there is nothing to keep and hardly anyone to answer."""


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, inflated. Raises :class:`BodyTooLarge` at ``limit`` bytes, and :class:`BodyIncomplete`."""
    declared = _declared_length(request)
    if declared is not None and declared >= limit:
        raise BodyTooLarge
    body = b""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise BodyIncomplete
        part: bytes = message.get("body", b"")
        size += len(part)
        if size >= limit:
            raise BodyTooLarge
        if not body:
            body = part
        elif part:
            parts.append(part)
        # the server counts the declared bytes, so asking once more for an empty end would be for nothing
        if not message.get("more_body", False) or size == declared:
            break
    if parts:
        body = b"".join([body, *parts])
    encoding = request.first.get(b"content-encoding")
    if encoding is not None and encoding.strip().lower() in (b"gzip", b"x-gzip"):
        return inflate(body, limit)
    return body


def _declared_length(request: Request) -> int | None:
    length = request.first.get(b"content-length")
    if length is None or b"transfer-encoding" in request.first or not length.isdigit() or len(length) > 18:
        return None
    return int(length)


def inflate(body: bytes, limit: int) -> bytes:
    """Undo gzip without ever holding more than ``limit`` bytes; what is not gzip is given back as it is."""
    whole: list[bytes] = []
    size = members = 0
    stream = zlib.decompressobj(wbits=31)
    pending = False
    for start in range(0, len(body), _SLICE):
        data = body[start : start + _SLICE]
        while data:
            try:
                out = stream.decompress(data, limit - size)
            except zlib.error:
                return body
            pending = True
            size += len(out)
            if size >= limit:
                raise BodyTooLarge
            whole.append(out)
            data = stream.unconsumed_tail
            if stream.eof:
                members += 1
                if members > _MAX_MEMBERS:
                    return body
                data, pending = stream.unused_data, False
                stream = zlib.decompressobj(wbits=31)
    return body if pending else b"".join(whole)


class Deadlines:
    """Ends requests that take too long, for the price of a dictionary entry each instead of a timer each.

    ``begin`` notes the running task, ``end`` forgets it; one look per interval cancels those that are overdue. Code
    that catches the cancellation asks ``expired`` whether it came from here.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._interval = max(0.02, min(1.0, seconds / 4))
        self._running: dict[asyncio.Task[object], float] = {}
        self._expired: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> asyncio.Task[object]:
        """Note the current task; hand what is returned to ``end`` when it is done waiting."""
        task = asyncio.current_task()
        assert task is not None, "requests run as tasks"
        loop = task.get_loop()
        self._running[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._interval, self._look, loop)
        return task

    def end(self, task: asyncio.Task[object]) -> None:
        if self._running.pop(task, None) is None:
            self._expired.discard(task)

    def expired(self, task: asyncio.Task[object]) -> bool:
        return task in self._expired

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, deadline in list(self._running.items()):
            if deadline > now:
                break  # in order of arrival, and all have the same time
            del self._running[task]
            self._expired.add(task)
            task.cancel()
        self._timer = loop.call_later(self._interval, self._look, loop) if self._running else None
