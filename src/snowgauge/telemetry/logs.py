"""Structured logs: one line per thing worth knowing, as text for people or JSON for machines.

Levels (after Vector's style): ``info`` something finished, ``warning`` unexpected yet nothing lost, ``error`` loss or a
person is needed, ``debug`` per-event noise. Personal data is logged at ``debug`` only: above it, of an exception that
is not ours the text is left out, since it may quote what a visitor sent, and lines of libraries are blanked.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any, Literal, TextIO

import structlog

from snowgauge.telemetry.reporting import scrubbing

ErrorListener = Callable[[str, dict[str, Any], BaseException | None], None]
"""Called with the name of the event, the other fields of the line, and the exception if there is one."""

_listeners: list[ErrorListener] = []

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class _StandardError(io.TextIOBase):
    """Standard error as it is at the time of each line: replacing it and closing it later does no harm."""

    def write(self, text: str) -> int:
        try:
            return sys.stderr.write(text)
        except OSError:  # it goes to a file whose disk is full, or to a reader that has gone: work goes on without it
            return 0

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def configure(level: Level = "INFO", *, json_format: bool = False, stream: TextIO | None = None) -> None:
    """Set up logging of this process; call once at its start. Lines go to standard error.

    At ``DEBUG`` nothing is left out.
    """
    out: Any = stream or _StandardError()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _listened,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json_format else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    whole = level == "DEBUG"
    errors: structlog.typing.Processor = structlog.processors.format_exc_info if whole else _scrubbed_exception
    structlog.configure(
        processors=[*shared, errors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared if whole else [*shared, _scrubbed_line],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, errors, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    least = max(logging.getLevelName(level), logging.WARNING)
    root.setLevel(least)
    handler.setLevel(least)  # some libraries give their loggers a level of their own
    # a store's connections beyond those that are kept are closed after use, as `performance.db_pool_overflow` says
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


def on_error(listener: ErrorListener | None) -> None:
    """Have one listener called for every line of level error or above; ``None`` ends that."""
    _listeners[:] = [listener] if listener is not None else []


def _listened(_: Any, method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if _listeners and method in ("error", "critical", "exception", "fatal"):
        fields = {name: value for name, value in line.items() if name not in ("event", "level", "exc_info")}
        given = line.get("exc_info")
        error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
        if given is True:
            error = sys.exc_info()[1]
        for listener in _listeners:
            with contextlib.suppress(Exception):  # reporting it must not break what went wrong already
                listener(str(line.get("event")), fields, error)
    return line


def _scrubbed_line(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    line["event"] = scrubbing.text(str(line.get("event")))
    return line


def _scrubbed_exception(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    given = line.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        line["exception"] = "\n".join(_told(error, set()))
    return line


def _told(error: BaseException, seen: set[int]) -> Iterator[str]:
    """The lines of a traceback, causes first."""
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _told(before, seen)
        yield "which led to:"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
    kind = type(error)
    yield f"{kind.__name__}: {scrubbing.told(kind.__module__, kind.__name__, str(error))}"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _told(one, seen)


def about(**fields: str) -> AbstractContextManager[None]:
    """Every line of this thread or task has these fields too, for as long as the block runs."""
    return structlog.contextvars.bound_contextvars(**fields)


def logger(part: str) -> Any:
    """The logger of one part: ``log.info("batch_stored", events=12)``."""
    return structlog.get_logger(part=part)
