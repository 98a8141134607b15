"""API keys of the registry and what each may do (Iglu Server 0.14).

A key belongs to a vendor and, by dot-separated parts, to everything below it: ``com.acme`` covers ``com.acme.shop`` and
not ``com.acmecorp``. Only hashes are kept, so a copied database opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import Literal

import msgspec

from snowgauge.actions.registry.database import RegistryDatabase

SchemaAction = Literal["READ", "BUMP", "CREATE", "CREATE_VENDOR"]
KeyAction = Literal["CREATE", "DELETE"]


class Permission(msgspec.Struct, frozen=True):
    """What a key may do. ``vendor`` ``*`` or blank is every vendor."""

    vendor: str
    schema_action: SchemaAction | None = None
    key_actions: tuple[KeyAction, ...] = ()

    @property
    def known(self) -> bool:
        """Is there a key behind it?"""
        return self.schema_action is not None or bool(self.key_actions)

    def covers(self, vendor: str) -> bool:
        if self.vendor.strip() in ("", "*"):
            return True
        own, asked = self.vendor.split("."), vendor.split(".")
        return asked[: len(own)] == own

    def may_read(self, vendor: str) -> bool:
        return self.known and self.covers(vendor)

    def may_write(self, vendor: str) -> bool:
        """BUMP, CREATE and CREATE_VENDOR are not told apart, as in Iglu Server."""
        return (self.schema_action not in (None, "READ") or bool(self.key_actions)) and self.covers(vendor)

    @property
    def is_super(self) -> bool:
        return self == SUPER


ANONYMOUS = Permission("")
SUPER = Permission("*", "CREATE_VENDOR", ("CREATE", "DELETE"))


class NotAllowed(Exception):
    """A key that may not do what was asked; the text is Iglu Server's."""


class KeyPair(msgspec.Struct, frozen=True):
    """Two new keys, in plain text for the only time."""

    read: str
    write: str


class KeyBook:
    """Keys in the registry's database, and the super key of the settings."""

    def __init__(self, database: RegistryDatabase, super_key: str = "") -> None:
        self._database = database
        self._super = _digest(super_key.lower()) if super_key else ""

    def permission(self, key: str | None) -> Permission:
        """What a key may do. No key, or one that nobody knows, may read public schemas."""
        if key is None:
            return ANONYMOUS
        digest = _digest(str(uuid.UUID(key)))
        if self._super and hmac.compare_digest(digest, self._super):
            return SUPER
        with self._database.reading() as rows:
            found = rows.execute(
                "SELECT vendor, schema_action, key_actions FROM permissions WHERE key_hash = ?", (digest,)
            ).fetchone()
        return ANONYMOUS if found is None else Permission(found[0], found[1], tuple(json.loads(found[2])))

    def generate(self, asker: Permission, vendor: str) -> KeyPair:
        """A key to read and one to write for a vendor. Raises :class:`NotAllowed`."""
        if "CREATE" not in asker.key_actions:
            raise NotAllowed("Not sufficient privileges to create keys")
        if not asker.covers(vendor):
            raise NotAllowed(f"Cannot create {vendor} using your permissions")
        pair = KeyPair(str(uuid.uuid4()), str(uuid.uuid4()))
        with self._database.writing() as rows:
            for key, action in ((pair.read, "READ"), (pair.write, "CREATE_VENDOR")):
                rows.execute("INSERT INTO permissions VALUES (?, ?, ?, '[]')", (_digest(key), vendor, action))
        return pair

    def delete(self, asker: Permission, key: str) -> None:
        """Revoke one key, known or not. Raises :class:`NotAllowed`."""
        if "DELETE" not in asker.key_actions:
            raise NotAllowed("Not sufficient privileges to delete key")
        with self._database.writing() as rows:
            rows.execute("DELETE FROM permissions WHERE key_hash = ?", (_digest(str(uuid.UUID(key))),))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
