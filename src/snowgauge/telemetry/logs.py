"""Structured logs: one line per thing worth knowing, as text for people or JSON for machines.

Levels (after Vector's style): ``info`` something finished, ``warning`` unexpected yet nothing lost, ``error`` loss or a
person is needed, ``debug`` per-event noise. Personal data is logged at ``debug`` only.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import structlog

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def configure(level: Level = "INFO", *, json_format: bool = False, stream: TextIO | None = None) -> None:
    """Set up logging of this process; call once at its start. Lines go to standard error."""
    out = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json_format else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    errors: list[structlog.typing.Processor] = [structlog.processors.format_exc_info] if json_format else []
    structlog.configure(
        processors=[*shared, *errors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *errors, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelName(level), logging.WARNING))


def logger(part: str) -> Any:
    """The logger of one part: ``log.info("batch_stored", events=12)``."""
    return structlog.get_logger(part=part)
