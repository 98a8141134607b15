"""The local event log: SQLite files in one folder, kept by collectors and emptied by pipeline workers.

Each collector process owns a *number* and writes a row of *segments*: SQLite files in WAL mode, one at a time, each
left behind when it is large enough. Pipeline workers read segments and delete each one whole when all of it is stored
(docs/decisions: why segments and not one file).
"""

from snowgauge.delivery.spool.log import SpoolLog

__all__ = ["SpoolLog"]
