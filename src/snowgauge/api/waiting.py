"""Questions that end in the store when the one who asked goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from snowgauge.store.cancelling import Cancellation


async def _while_waited_for(request: Request) -> AsyncIterator[None]:
    cancellation = Cancellation()

    async def watch() -> None:
        # the body is read: what comes next is that the client is gone, or that the answer is sent
        while (await request.receive())["type"] != "http.disconnect":
            pass
        await run_in_threadpool(cancellation.cancel)

    watching = asyncio.create_task(watch())
    try:
        with cancellation.around():
            yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


WHILE_WAITED_FOR = Depends(_while_waited_for)
"""For paths whose answer may take long: when the client closes the connection, the statement is ended in the store."""
