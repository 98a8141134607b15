"""Names of tables and columns, as Snowplow's Postgres loader 0.3.3 (schema-ddl 0.14.1) makes them.

PostgreSQL cuts names at 63 bytes. A longer name is cut the same way here, so that SQL which spells it in full still
finds it; where the cut name is taken, its end gives way to a hash of the full one.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache
from hashlib import sha256

_RUN = re.compile(r"([A-Z]+)([A-Z][a-z])")
_STEP = re.compile(r"([a-z0-9])([A-Z])")
MAX_NAME = 63
META_COLUMNS = ("schema_vendor", "schema_name", "schema_format", "schema_version", "root_id", "root_tstamp")
_SYSTEM_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")


@lru_cache(maxsize=10_000)
def snake(name: str) -> str:
    """``iECompatibilityVersion`` -> ``i_e_compatibility_version``."""
    return _STEP.sub(r"\1_\2", _RUN.sub(r"\1_\2", name)).replace("-", "_").lower()


def table_name(vendor: str, name: str, model: int) -> str:
    """The full name of the table of one model of a schema, before any cutting."""
    return f"{re.sub(r'[.-]', '_', vendor).lower()}_{snake(name)}_{model}"


def cut(name: str) -> str:
    """As PostgreSQL cuts: to 63 bytes, never inside a character."""
    return name.encode("utf-8", "replace")[:MAX_NAME].decode("utf-8", "ignore")


def hashed(name: str, of: str = "") -> str:
    """A name that no other has: the first 54 bytes and eight hex digits of a hash (of ``of``, else of the name)."""
    digest = sha256((of or name).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{cut(name).encode()[:54].decode('utf-8', 'ignore')}_{digest}"


def free_table_name(full: str, taken: Container[str], of: str) -> str:
    """The name for a new table: the full one, cut; hashed (by what it is ``of``) when that is taken."""
    name = cut(full)
    return hashed(full, of) if name in taken else name


def column_name(path: tuple[str, ...], separator: str) -> str:
    """A column's name, not yet cut. Names that no column can have get a hash."""
    name = separator.join(snake(part) for part in path).replace("\x00", "").encode("utf-8", "replace").decode()
    if not name or name in META_COLUMNS or name in _SYSTEM_COLUMNS:
        return hashed(name, "\x00".join(path))
    return name


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
