"""The running system as actions see it: its parts, handed over by the wiring."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from email.message import EmailMessage
from pathlib import Path

import msgspec

from snowgauge.actions.elsewhere.looking import OtherDeployments
from snowgauge.actions.failed.kept import Kept
from snowgauge.actions.failed.repair.means import RecoveryMeans
from snowgauge.actions.failed.repair.running import Running
from snowgauge.actions.lifetime.carrying_out import Erasures
from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.looks import Looks
from snowgauge.actions.sinks import Sinks
from snowgauge.alerts.delivering.post import Means
from snowgauge.delivery.contract import EventLog
from snowgauge.enrich.enricher import Enricher
from snowgauge.iglu.build import local_schemas
from snowgauge.iglu.contract import Resolver, Validator
from snowgauge.iglu.registries.folder import FolderRegistry
from snowgauge.state.documents import Documents
from snowgauge.state.tables import SharedTables
from snowgauge.store.base import Store


class Surroundings(msgspec.Struct, frozen=True):
    """What the settings say about the world around. ``registries`` are http(s) addresses; ``scripts`` is the folder of
    the tracker's script, where the collector serves one; ``json_columns``: does the store keep entities in columns of
    ClickHouse's type JSON?"""

    registries: tuple[str, ...] = ()
    engine_memory: int | None = None
    cookie_domains: tuple[str, ...] = ()
    scripts: Path | None = None
    json_columns: bool = False


class Outbox(msgspec.Struct, frozen=True):
    """How e-mail leaves: ``send`` hands a message over and answers what the server said (see ``mail.send``).
    ``console``: the console's address for links, or empty."""

    send: Callable[[EmailMessage], str]
    sender: str
    console: str = ""


class Deployment(msgspec.Struct, frozen=True):
    """Parts that actions ask or act upon. One per process; all are safe to use from several threads."""

    store: Store
    eventlog: EventLog
    resolver: Resolver
    validator: Validator
    data_dir: Path
    version: str
    collector_url: str = ""
    """Where trackers send to, as people who set one up have to write it."""
    lend_enricher: Callable[[], AbstractContextManager[Enricher]] | None = None
    """An enricher with this deployment's configuration, for one caller at a time; ``None`` where none is at hand."""
    erasing: Callable[[], Erasing] | None = None
    """Through which people are erased and exported; ``None`` where they are not."""
    recovery: RecoveryMeans | None = None
    """What recovery runs work with; ``None`` where failed events are not recovered."""
    erasures: Erasures = msgspec.field(default_factory=Erasures)
    """Erasures that this process carries out."""
    running: Running = msgspec.field(default_factory=Running)
    """The recovery runs of this process."""
    looks: Looks = msgspec.field(default_factory=Looks)
    """Through which parts are asked how they are."""
    applications_file: Path | None = None
    """Where the settings of applications are, if not in the store (`modelling.applications`)."""
    alert_means: Callable[[], Means] | None = None
    """What messages of alerts are sent with; ``None`` where nothing is sent."""
    outbox: Outbox | None = None
    """Where e-mail goes; ``None`` where no mail server is set."""
    surroundings: Surroundings = Surroundings()
    """What the settings say about the world around, for the doctor."""
    elsewhere: OtherDeployments | None = None
    """Other deployments that are asked how they are."""
    console_tables: SharedTables | None = None
    """People, keys and what people save, where machines share them."""
    registry_tables: SharedTables | None = None
    """What the registry knows beside the schemas, where machines share it."""
    local_schemas: FolderRegistry | None = None
    """The schemas published here, where machines share them."""
    shared_state: Documents | None = None
    """Erasures and retention's mark, where machines share them through the store."""
    shared_kept: Kept | None = None
    """Runs, rules and notes about failed events, where machines share them."""
    sinks: Sinks | None = None
    """Places beside the store that events go to."""

    @property
    def kept(self) -> Kept:
        """Runs, rules and notes about failed events."""
        return self.shared_kept or Kept(self.data_dir)

    @property
    def schemas(self) -> FolderRegistry:
        """The schemas published here."""
        return self.local_schemas or local_schemas(self.data_dir)
