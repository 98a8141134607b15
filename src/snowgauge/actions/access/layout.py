"""The tables of people, their sessions and keys. Times are milliseconds since the epoch."""

from __future__ import annotations

from snowgauge.actions.access import guesses

LAYOUT = (
    """
CREATE TABLE IF NOT EXISTS people (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT NOT NULL, role TEXT NOT NULL,
  created_at INTEGER NOT NULL, last_login INTEGER);
CREATE TABLE IF NOT EXISTS identities (
  issuer TEXT NOT NULL, subject TEXT NOT NULL, person TEXT NOT NULL UNIQUE REFERENCES people(id) ON DELETE CASCADE,
  PRIMARY KEY (issuer, subject));
CREATE TABLE IF NOT EXISTS sessions (
  token TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES people(id) ON DELETE CASCADE, csrf TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keys (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, hint TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL,
  created_by TEXT NOT NULL, created_at INTEGER NOT NULL, last_used INTEGER, expires_at INTEGER);
CREATE TABLE IF NOT EXISTS audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
  action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, ip TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS person_limits (
  person TEXT PRIMARY KEY REFERENCES people(id) ON DELETE CASCADE, apps TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS key_limits (
  key TEXT PRIMARY KEY REFERENCES keys(id) ON DELETE CASCADE, apps TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS invitations (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role TEXT NOT NULL, apps TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE, created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS second_factors (
  person TEXT PRIMARY KEY REFERENCES people(id) ON DELETE CASCADE, secret TEXT NOT NULL, confirmed_at INTEGER,
  last_step INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS recovery_codes (
  person TEXT NOT NULL REFERENCES second_factors(person) ON DELETE CASCADE, hash TEXT NOT NULL,
  PRIMARY KEY (person, hash));
"""
    + guesses.LAYOUT
)
"""What later versions know of a person has tables of its own, so that a file of an earlier version needs no change but
new tables."""

KEYS = {
    "people": ("id",),
    "identities": ("issuer", "subject"),
    "sessions": ("token",),
    "keys": ("id",),
    "audit": ("number",),
    "person_limits": ("person",),
    "key_limits": ("key",),
    "invitations": ("id",),
    "second_factors": ("person",),
    "recovery_codes": ("person", "hash"),
}
"""Of the tables that machines share: the columns of each primary key."""
