"""The role that people's SQL runs as: it may read the tables, and nothing else.

A read-only transaction is not enough: in one, ``pg_terminate_backend`` ends the loader's sessions, a superuser reads
the server's files, and ``set_config`` takes back a role that was set before. So people's statements go over connections
of their own, logged in as a role of their own.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from snowgauge.errors import SnowgaugeError, StoreUnavailable
from snowgauge.store.postgres.connection import Connections, Refused
from snowgauge.store.postgres.naming import quote
from snowgauge.telemetry.logs import logger

log = logger("store")
_SECONDS = 3600
"""No statement of that role takes longer, whatever it sets."""


class ReaderRole:
    """``connections`` are the loader's; ``schemas`` hold what may be read. ``url`` of the settings names a role that
    someone else has made; without it one is made, whose password only who knows the loader's can work out."""

    def __init__(self, connections: Connections, schemas: Sequence[str], url: str, *, connect_timeout: float) -> None:
        self._loader = connections
        self._schemas = schemas
        self._made_elsewhere = bool(url)
        if url:
            self.connections = Connections(url, size=4, connect_timeout=connect_timeout)
            return
        place = f"{connections.place}/{'/'.join(schemas)}"
        self.name = f"snowgauge_reader_{hashlib.sha256(place.encode()).hexdigest()[:12]}"
        key = connections.password
        self._password = hmac.new(key.encode(), self.name.encode(), "sha256").hexdigest() if key else ""
        self.connections = connections.for_user(self.name, self._password, size=4)

    def prepare(self) -> None:
        """Make the role, or bring it up to date. A loader that may not make roles says so in the log."""
        if self._made_elsewhere:
            return
        try:
            self._make()
        except (Refused, StoreUnavailable) as raised:
            log.warning("reader_role_not_made", role=self.name, reason=str(raised)[:300])

    def retried(self) -> Connections:
        """The connections without the pause that a failed log-in brings."""
        self.connections.forget_failures()
        return self.connections

    def refusal(self, raised: SnowgaugeError) -> StoreUnavailable:
        """The same, with what to do where that role cannot log in."""
        return StoreUnavailable(
            f"SQL of people runs as a role of its own, which cannot log in: {raised}. Let the user of store.url make "
            "roles (ALTER ROLE … CREATEROLE), or have one made that may only read and name it in postgres.reader_url"
        )

    def _make(self) -> None:
        role = quote(self.name)
        password = f"PASSWORD '{self._password}'" if self._password else "PASSWORD NULL"
        with self._loader.use() as connection, connection.transaction():
            # of several processes one makes it
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (self.name,))
            found = connection.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", (self.name,)).fetchone()
            connection.execute(f"{'ALTER' if found else 'CREATE'} ROLE {role} LOGIN NOINHERIT NOCREATEDB {password}")
            database = connection.execute("SELECT current_database()::text").fetchone()
            assert database is not None
            connection.execute(f"GRANT CONNECT ON DATABASE {quote(database[0])} TO {role}")
            connection.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")
            connection.execute(f"ALTER ROLE {role} SET statement_timeout = {_SECONDS * 1000}")
            for schema in map(quote, self._schemas):
                connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
                connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
                connection.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}")
