"""Settings of the PostgreSQL store. Where the database is stands in ``store.url``."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from snowgauge.part_settings import Duration, PartSettings, Secret


class PostgresSettings(PartSettings):
    """PostgreSQL, where ``store.url`` begins with ``postgresql://``. The URL takes every parameter that libpq knows:
    ``?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem``, several hosts, ``target_session_attrs``."""

    atomic_schema: str = Field(default="atomic", min_length=1, max_length=63)
    """Schema of the tables (Snowplow's loader: ``schema``)."""

    derived_schema: str = Field(default="derived", min_length=1, max_length=63)
    """Schema of the modelled tables."""

    types: Literal["wide", "snowplow"] = "wide"
    """``wide``: text columns for what Snowplow's loader cuts or refuses (atomic texts, strings without ``maxLength``)
    and for UUIDs inside of entities, as its dbt packages expect. ``snowplow``: the very types of Postgres loader 0.3.3;
    what does not fit them becomes a failed event."""

    nested_separator: Literal[".", "_"] = "."
    """Between the names of nested fields in a column's name. ``.`` is Snowplow's; dbt packages can join such tables
    only with ``_``."""

    text_arrays: tuple[str, ...] = ("com_snowplowanalytics_snowplow_consent_preferences_1",)
    """Tables whose arrays are JSON text instead of JSONB (``*``: all). The consent module of Snowplow's dbt packages
    needs it for the one named by default. Applies to columns made from now on."""

    dbt_tables: bool = True
    """Make the tables that Snowplow's dbt packages read when the layout is made, not when their first event comes."""

    bad_row_tables: bool = True
    """Also put bad rows into one table per type, as Snowplow's loader does, beside ``failed_events``."""

    duplicate_window: Duration = Field(default="7 days", validate_default=True, ge=timedelta(0))
    """An event whose id was stored with a ``collector_tstamp`` at most this much earlier or later is left out: a client
    that saw no answer sends again. ``0 s``: both are kept, in rows that differ by ``collector_tstamp``."""

    partitioning: Literal["none", "monthly"] = "none"
    """Cut new tables of events and entities into months by ``collector_tstamp``, so that old months can be dropped at
    once. Applies to tables made from now on."""

    person_indexes: bool = False
    """Index ``user_id``, ``domain_userid`` and ``network_userid``: finding or erasing a person gets fast, loading
    slower."""

    reader_url: Secret = Secret("")
    """Where people's SQL (console, API, ``snowgauge sql``) logs in: the same database, with a user that may only read
    the tables. Empty: one is made, if the user of ``store.url`` may make roles."""

    pool_size: int = Field(default=8, ge=1)
    """Most connections of one process."""

    connect_timeout: Duration = Field(default="10 s", validate_default=True)
    """How long to wait for a connection."""

    load_timeout: Duration = Field(default="5 min", validate_default=True)
    """How long one statement of a load may take. A server that answers nothing at all for 30 s is given up sooner,
    whatever it was asked, and tried again with a growing pause."""

    lock_timeout: Duration = Field(default="60 s", validate_default=True)
    """How long a change of the layout waits for its turn."""

    query_timeout: Duration = Field(default="60 s", validate_default=True)
    """How long a read may take."""
