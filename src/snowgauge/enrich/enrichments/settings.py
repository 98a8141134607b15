"""Settings of the enrichments as a whole; each enrichment's own stand in its configuration file."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from snowgauge.events.json_text import MOST_DEPTH
from snowgauge.part_settings import ByteSize, Duration, PartSettings


class EnrichmentsSettings(PartSettings):
    """Where enrichments are configured, how their files are kept fresh, and what they may reach."""

    folder: str | None = None
    """Folder with one file per enrichment: Snowplow's ``*.json`` or ``*.hocon``, bare ``*.js`` scripts, ``*.py``.
    Unset: the default set runs. ``none``: no enrichment runs."""

    add_defaults: bool = False
    """Run the default set beside the folder's files; a file of the same kind takes the default's place."""

    assets_update_period: Duration = timedelta(days=7)
    """How often files that enrichments need (databases, lists) are asked for again. ``0``: only at start."""

    asset_timeout: Duration = timedelta(minutes=10)
    """Longest time one file may take to arrive."""

    asset_max_bytes: ByteSize = 2 * 1024**3
    """Largest file that is fetched."""

    outgoing_timeout: Duration = timedelta(seconds=5)
    """Longest time one outgoing request (API request, currency rates, weather) may take, unless its own configuration
    says otherwise."""

    outgoing_max_bytes: ByteSize = 1024**2
    """Largest answer that is read."""

    outgoing_retries: int = Field(default=2, ge=0, le=10)
    """How often an outgoing request is repeated after a connection error, or after a 5xx answer to a GET."""

    outgoing_connections: int = Field(default=20, ge=1)
    """Connections kept open to other hosts, per process."""

    allow_private_hosts: bool = False
    """Let enrichments reach loopback, private and link-local addresses. Events choose parts of the addresses that the
    API request asks for, so allow it only where every host of the network may be asked."""

    max_json_depth: int = Field(default=50, ge=1, le=MOST_DEPTH)
    """Deepest nesting of JSON that an enrichment reads from others."""

    script_time_limit: Duration = timedelta(seconds=1)
    """Longest time that JavaScript may take for one event."""

    script_memory_limit: ByteSize = 64 * 1024**2
    """Most memory that one JavaScript enrichment may take."""

    exit_on_js_compile_error: bool = True
    """Whether JavaScript that does not compile stops the start. Otherwise every event fails, saying so."""
