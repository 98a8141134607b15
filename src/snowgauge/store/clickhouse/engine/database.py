"""The engine: one data folder, opened by one process, with a handle of its own for every request.

Measured on chDB 4.4: a handle takes a millisecond to open, carries its own settings, database and temporary tables,
and handles work at the same time, so concurrent requests need no lock of ours. The library reports the folder's lock
without saying why; a lock file of our own names the holder. Both locks end with their process, also after kill -9.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from snowgauge.errors import StoreUnavailable
from snowgauge.store.clickhouse.engine.definitions import Definitions
from snowgauge.store.clickhouse.engine.exceptions import from_engine
from snowgauge.store.clickhouse.engine.guard import Guard, Limits
from snowgauge.store.clickhouse.engine.known_inserts import forget_unwritten
from snowgauge.store.clickhouse.engine.room import Room, RoomKeeper
from snowgauge.store.clickhouse.engine.statements import first_word
from snowgauge.store.settings import EngineSettings
from snowgauge.telemetry.logs import logger

log = logger("clickhouse")
_WINDOW = "non_replicated_deduplication_window"
_FULL = 74
"""Status of a process that ended for what a full disk has left (``EX_IOERR`` of sysexits.h)."""


class Database:
    """The opened data folder. ``close`` stops background work and flushes; it waits for open handles."""

    def __init__(self, path: Path, settings: EngineSettings) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.room = Room(path, settings.min_free_bytes)
        if missing := self.room.missing():
            raise StoreUnavailable(f"the embedded ClickHouse engine does not open {path}: {missing}")
        self._lock = _lock(path)
        import chdb

        library: Any = chdb._chdb

        self.definitions = Definitions(path)
        self._defining = threading.Lock()
        self.definitions.mend()
        forget_unwritten(path)
        config = path / "snowgauge-engine.xml"
        config.write_text(configuration(settings))
        self._connect = library.connect
        self._address = f"{path}?config-file={config}"
        try:
            self._keeper = self._connect(self._address)
        except RuntimeError as raised:
            os.close(self._lock)
            raise StoreUnavailable(
                f"the embedded ClickHouse engine cannot open {path}: {from_engine(raised).text}. "
                "Is another engine using the folder, or is its disk full?"
            ) from None
        self._open_databases()
        self._set_aside()
        self.definitions.keep()
        self.version = self.text("SELECT version()")
        self.timezone = self.text("SELECT timezone()")
        self.guard = Guard(self.handle)
        self.limits: Limits = {"max_memory_usage": settings.query_memory_limit, "max_threads": 64}
        self._free = threading.BoundedSemaphore(settings.max_queries)
        self._room_keeper = RoomKeeper(self.room, self.definitions, self._ask, lambda: os._exit(_FULL))
        self._room_keeper.start()

    def _open_databases(self) -> None:
        """Take the file system out of ``default``.

        The library overlays that database with one in which every path is a table, so that ``FROM '/etc/passwd'``
        reads the file, under ``readonly=1`` too. Detached and attached again it is an ordinary database.
        """
        known = (self.path / "metadata" / "default.sql").exists()
        uuid = self.text("SELECT uuid FROM system.databases WHERE name = 'default'")
        self._keeper.query("USE system", "Null")
        self._keeper.query("DETACH DATABASE default", "Null")
        self._keeper.query(
            f"ATTACH DATABASE default UUID '{uuid}' ENGINE = Atomic"
            if known
            else "CREATE DATABASE default ENGINE = Atomic",
            "Null",
        )
        self._keeper.query("USE default", "Null")

    @contextmanager
    def changing(self, statement: bytes) -> Iterator[None]:
        """A statement that writes something else than the rows in its body. Raises as ``Room.needed`` does."""
        with self.room.needed():
            yield
        if first_word(statement) not in (b"INSERT", b"OPTIMIZE"):
            with self._defining:
                self.definitions.keep()

    def _set_aside(self) -> None:
        """Parts that a full disk, or a power cut, left unwritten: the engine has found them and loaded those they were
        merged of. One that was inserted comes once more, and must not be taken for known then."""
        rows = self.text(
            "SELECT database, table, path, min_block_number = max_block_number FROM system.detached_parts "
            "WHERE reason = 'broken-on-start'"
        )
        for line in rows.splitlines():
            database, table, path, inserted = line.split("\t")
            part = Path(path)
            log.error("engine_part_broken", table=f"{database}.{table}", part=part.name, effect="it is left aside")
            if inserted == "1":  # its level is no sign: tables that collapse rows do so while inserting
                self._forget_inserts(f"`{database}`.`{table}`")
            part.rename(part.with_name(f"unwritten_{part.name}"))

    def _forget_inserts(self, table: str) -> None:
        """Take every insert for a new one."""
        found = re.search(rf"{_WINDOW} = (\d+)", self.text(f"SHOW CREATE TABLE {table}"))
        for size in (0, found[1]) if found else ():
            self._keeper.query(f"ALTER TABLE {table} MODIFY SETTING {_WINDOW} = {size}", "Null")

    def _ask(self, sql: str) -> str:
        handle = self.handle()
        try:
            return bytes(handle.query(sql, "TabSeparatedRaw").bytes() or b"").decode().strip()
        finally:
            handle.close()

    def text(self, sql: str) -> str:
        return bytes(self._keeper.query(sql, "TabSeparatedRaw").bytes() or b"").decode().strip()

    def handle(self) -> Any:
        """A handle of one's own; the caller closes it."""
        return self._connect(self._address)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a place among the running queries."""
        with self._free:
            yield

    def kill(self, comment: str) -> None:
        """Cancel the queries that carry this ``log_comment``."""
        quoted = comment.replace("\\", "\\\\").replace("'", "\\'")
        handle = self.handle()
        try:
            handle.query(
                "KILL QUERY WHERE query_id IN (SELECT query_id FROM system.processes "
                f"WHERE Settings['log_comment'] = '{quoted}') ASYNC",
                "Null",
            )
        except RuntimeError as raised:
            log.warning("kill_failed", reason=from_engine(raised).text)
        finally:
            handle.close()

    def close(self) -> None:
        self._room_keeper.stop()
        with suppress(RuntimeError):
            self._keeper.close()
        os.close(self._lock)


def _lock(path: Path) -> int:
    file = os.open(path / "snowgauge.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(file, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(file)
        raise StoreUnavailable(
            f"the data folder {path} is in use by the engine with process id {holder}: stop it, "
            "or give this one another folder (clickhouse.engine.path)"
        ) from None
    os.ftruncate(file, 0)
    os.pwrite(file, str(os.getpid()).encode(), 0)
    return file


def configuration(settings: EngineSettings) -> str:
    """The engine's configuration file: small caches, no logs that grow, inserts on disk before they are confirmed."""
    sync = int(settings.sync)
    server = {
        "max_server_memory_usage": settings.memory_limit,
        "mark_cache_size": 33_554_432,
        "primary_index_cache_size": 33_554_432,
        "index_mark_cache_size": 16_777_216,
        "index_uncompressed_cache_size": 0,
        "uncompressed_cache_size": 0,
        "mmap_cache_size": 64,
        "compiled_expression_cache_size": 8_388_608,
        "query_cache.max_size_in_bytes": 0,
        "background_pool_size": 2,
        "background_schedule_pool_size": 4,
        "background_move_pool_size": 1,
        "background_common_pool_size": 1,
        "background_fetches_pool_size": 1,
        "background_buffer_flush_schedule_pool_size": 1,
        "background_distributed_schedule_pool_size": 1,
        "background_message_broker_schedule_pool_size": 1,
        "tables_loader_background_pool_size": 1,
        "tables_loader_foreground_pool_size": 1,
        "timezone": "UTC",
    }
    merge_tree = {
        "fsync_after_insert": sync,
        "fsync_part_directory": sync,
        # half of the pool must be free for a mutation; the pool has 4 places
        "number_of_free_entries_in_pool_to_execute_mutation": 2,
        "number_of_free_entries_in_pool_to_lower_max_size_of_merge": 2,
        "number_of_free_entries_in_pool_to_execute_optimize_entire_partition": 2,
        # one large merge must not take all the memory
        "merge_max_block_size": 4096,
        "merge_max_block_size_bytes": 4_194_304,
        "max_bytes_to_merge_at_max_space_in_pool": 10_737_418_240,
        # a table of 150 columns has a thousand streams; with buffers of a megabyte each, a merge of all columns at
        # once goes over the limit (measured): merge column by column, and let buffers grow as they fill
        "vertical_merge_algorithm_min_rows_to_activate": 1,
        "vertical_merge_algorithm_min_bytes_to_activate": 0,
        "vertical_merge_algorithm_min_columns_to_activate": 1,
        "min_columns_to_activate_adaptive_write_buffer": 1,
        "max_compress_block_size": 262_144,
        "min_free_disk_bytes_to_perform_insert": settings.min_free_bytes,
    }
    profile = {
        "max_threads": settings.threads,
        "max_insert_threads": 1,
        "max_memory_usage": settings.query_memory_limit,
        "max_bytes_before_external_group_by": settings.query_memory_limit // 2,
        "max_bytes_before_external_sort": settings.query_memory_limit // 2,
        "log_queries": 0,
        "async_insert": 0,
        "min_insert_block_size_rows": 65_536,
        "min_insert_block_size_bytes": 67_108_864,
    }
    disk = f"<keep_free_space_bytes>{settings.min_free_bytes}</keep_free_space_bytes>"
    return (
        "<clickhouse>\n"
        + _elements(server, 1)
        + f"  <storage_configuration><disks><default>{disk}</default></disks></storage_configuration>\n"
        + "  <merge_tree>\n"
        + _elements(merge_tree, 2)
        + "  </merge_tree>\n  <profiles><default>\n"
        + _elements(profile, 2)
        + "  </default></profiles>\n</clickhouse>\n"
    )


def _elements(values: dict[str, Any], depth: int) -> str:
    lines = []
    for name, value in values.items():
        outer, _, inner = name.partition(".")
        text = f"<{inner}>{escape(str(value))}</{inner}>" if inner else escape(str(value))
        lines.append(f"{'  ' * depth}<{outer}>{text}</{outer}>\n")
    return "".join(lines)
