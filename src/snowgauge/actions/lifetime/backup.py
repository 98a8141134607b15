"""A deployment on one machine as a folder of files, taken while it runs, and made into a deployment again.

What makes it consistent: the store is frozen, and the event log, the journal and all other files are copied, while no
batch is half stored (``Gate.still``). So each acknowledged event is in the frozen store, or waits in the copied log, or
both, and then the store's ledger knows its batch. Collectors go on receiving meanwhile. SQLite files are copied with
SQLite's own backup. The frozen parts are copied afterwards, at leisure.

The list of files with their checksums (``backup.json``) is written last: a folder without it is no backup. A restore
builds the new data folder beside its place and moves it there when all is done and counted, so one that broke off is
simply run again.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from snowgauge.actions.lifetime.exporting import digest
from snowgauge.actions.lifetime.files import sync_folder, written
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.places import Progress, silent
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.delivery.contract import EventLog
from snowgauge.errors import SnowgaugeError
from snowgauge.events.failed import FailedEvent
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.timestamps import iso_text
from snowgauge.store.base import EventKind
from snowgauge.store.lifetime import Key, Lifetime, row_key

LIST = "backup.json"
_NOT_KEPT = ("run", "clickhouse", "shadow", "backups", "reserve", "shared")
"""``shared`` has copies of what is in the store."""
_NOT_SUFFIX = (".lock", "-wal", "-shm", "-journal", "-kept", ".part", ".new", ".rotate")
_KINDS: tuple[EventKind, ...] = ("good", "failed", "incomplete")


class Root(msgspec.Struct, frozen=True):
    """A folder (or one file) that belongs to the deployment, and the name it has in a backup.

    What is not ``placed`` is kept in the backup and left there by a restore: a person decides what becomes of it.
    """

    name: str
    path: Path
    placed: bool = True


class Snapshot(msgspec.Struct, frozen=True):
    """The store at one moment: what makes its tables again (opaque here), and where the files of each lie."""

    tables: list[msgspec.Raw]
    folders: dict[str, Path]


class Backup(msgspec.Struct, rename="camel"):
    """``files``: path in the backup -> SHA-256."""

    version: str
    taken_at: str
    tables: list[msgspec.Raw]
    files: dict[str, str]


def take(
    folder: Path,
    roots: Sequence[Root],
    gate: Gate,
    freeze: Callable[[], Snapshot],
    thaw: Callable[[], None],
    *,
    version: str,
    at: int,
    progress: Progress = silent,
) -> Backup:
    """Write a backup into a new folder. What a broken-off one left behind is cleared first."""
    if folder.exists():
        raise SnowgaugeError(f"{folder} is there already: name a new folder for each backup")
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    thaw()
    try:
        with gate.still():
            snapshot = freeze()
            for root in roots:
                _copy_root(root, draft / "files" / root.name, progress)
        for name, source in snapshot.folders.items():
            shutil.copytree(source, draft / "clickhouse" / name)
            progress("store", 1)
    finally:
        thaw()
    files = {}
    for path in _files(draft):
        files[str(path.relative_to(draft))] = digest(path)
        progress("checksums", len(files))
    made = Backup(version, iso_text(at), snapshot.tables, files)
    with written(draft / LIST) as file:
        file.write(msgspec.json.format(msgspec.json.encode(made)))
    draft.rename(folder)
    sync_folder(folder.parent)
    return made


def read(folder: Path, progress: Progress = silent) -> Backup:
    """Open a backup and check every file of it. Raises ``SnowgaugeError`` naming the first that is not as it was, and
    for one with links or with files that are not on its list: a restore copies plain files that it has checked."""
    _refuse_links(folder)
    try:
        found = msgspec.json.decode((folder / LIST).read_bytes(), type=Backup)
    except FileNotFoundError:
        raise SnowgaugeError(f"{folder} is no backup, or one that broke off: it has no {LIST}") from None
    except msgspec.DecodeError as error:
        raise SnowgaugeError(f"{folder / LIST} cannot be read: {error}") from None
    strange = {str(path.relative_to(folder)) for path in _files(folder)} - {*found.files, LIST}
    if strange:
        raise SnowgaugeError(f"the backup is damaged: {folder / min(strange)} is not on its list of files")
    for number, (name, wanted) in enumerate(found.files.items()):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise SnowgaugeError(f"the backup is damaged: {name[:200]!r} leads out of it")
        path = folder / name
        if not path.is_file():
            raise SnowgaugeError(f"the backup is damaged: {path} is missing")
        if digest(path) != wanted:
            raise SnowgaugeError(f"the backup is damaged: {path} does not have the checksum it was written with")
        progress("checking", number + 1)
    return found


def _refuse_links(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file() or not path.exists()):
            raise SnowgaugeError(
                f"the backup is damaged: {path} is a link or a device, and a backup has plain files only"
            )


class Restoring:
    """Puts a backup in the place of ``roots``, each of which is built beside its place first."""

    def __init__(self, folder: Path, roots: Sequence[Root]) -> None:
        self._folder = folder
        self._roots = [root for root in roots if root.placed]

    def drafts(self) -> list[Root]:
        """Where the new folders are being built."""
        return [Root(root.name, root.path.with_name(f".{root.path.name}.restoring")) for root in self._roots]

    def refuse_used(self) -> None:
        """Raises ``SnowgaugeError`` when there is a deployment in the place."""
        for root in self._roots:
            if root.path.is_dir() and any(root.path.iterdir()):
                raise SnowgaugeError(
                    f"{root.path} is not empty: restore with --replace, which moves what is there aside, or into "
                    "another data folder (--set common.data_dir=...)"
                )

    def begin(self) -> None:
        """Copy everything but the store's tables. What a broken-off restore left behind is cleared first."""
        for draft in self.drafts():
            if draft.path.is_symlink():
                draft.path.unlink()  # its maker could have the files written elsewhere
            shutil.rmtree(draft.path, ignore_errors=True)
            source = self._folder / "files" / draft.name
            draft.path.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, draft.path, symlinks=True)
            else:
                draft.path.mkdir()
            draft.path.chmod(0o700)

    def finish(self, aside: str) -> list[Path]:
        """Put the new folders in their places; what was there is moved aside, and named in the answer."""
        moved = []
        for draft, root in zip(self.drafts(), self._roots, strict=True):
            if root.path.is_dir() and any(root.path.iterdir()):
                target = root.path.with_name(f"{root.path.name}.{aside}")
                root.path.rename(target)
                moved.append(target)
            elif root.path.is_dir():
                root.path.rmdir()
            draft.path.rename(root.path)
            sync_folder(root.path.parent)
        return moved


def forget_again(tombstones: Tombstones, lifetime: Lifetime, log: EventLog, progress: Progress = silent) -> int:
    """Take out what tombstones cover, after something old came back; answers how much."""
    newest = max((one.at for one in tombstones.all()), default=0)
    if not newest:
        return 0
    gone = 0
    for kind in _KINDS:
        keys: list[Key] = []
        records: dict[str, bytes | None] = {}
        for row in lifetime.scan(kind, until=newest):
            if isinstance(row, FailedEvent):
                kept = tombstones.pruned_failed(row)
                if kept is None:
                    keys.append(row_key(row))
                elif kept is not row:
                    records[row.id] = kept.record
            elif tombstones.covers(row):
                keys.append(row_key(row))
            progress("tombstones", gone + len(keys))
        if keys:
            lifetime.delete(kind, keys)
        if records:
            lifetime.set_records(records)
        gone += len(keys) + len(records)
    if gone:
        lifetime.settle()

    def change(entry: LogEntry) -> LogEntry | None:
        if entry.kind != "payload":
            return entry
        new = tombstones.pruned(entry.body)
        if new is entry.body:
            return entry
        return None if new is None else LogEntry(new, entry.received_at, entry.kind)

    return gone + log.amend(change).changed


def _copy_root(root: Root, target: Path, progress: Progress) -> None:
    count = 0
    if root.path.is_file():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy2(root.path, target)
        return
    # cursors of the event log before its segments: a batch that is out then has the boundaries, and so the id, by which
    # the store knows it, and a segment that is read to its end meanwhile is missed by nobody
    for path in sorted(_files(root.path), key=lambda path: not path.name.endswith(".cursor.sqlite")):
        relative = path.relative_to(root.path)
        if relative.parts[0] in _NOT_KEPT or path.name.endswith(_NOT_SUFFIX) or "snowgauge.lock" in path.name:
            continue
        copied = target / relative
        copied.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            if _is_sqlite(path):
                _copy_sqlite(path, copied)
            else:
                shutil.copy2(path, copied)
        except FileNotFoundError:  # a segment that was read to its end and deleted
            continue
        count += 1
        progress(root.name, count)


def _copy_sqlite(source: Path, target: Path) -> None:
    # opening must not make the file again if it was deleted just now
    address = f"{source.absolute().as_uri()}?mode=rw"
    try:
        origin = sqlite3.connect(address, uri=True, timeout=30)
    except sqlite3.OperationalError as error:
        if source.exists():
            raise SnowgaugeError(f"{source} cannot be copied: {error}") from error
        raise FileNotFoundError(source) from error
    with closing(origin):
        origin.execute("PRAGMA wal_autocheckpoint = 0")
        with closing(sqlite3.connect(target)) as copy:
            origin.backup(copy)
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
    if found != "ok":
        raise SnowgaugeError(f"{source} is damaged ({found}): the backup was not made")


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
