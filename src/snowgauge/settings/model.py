"""The tree of settings: each part's own settings class under the part's name."""

from __future__ import annotations

from snowgauge.actions.imports.settings import ImportsSettings
from snowgauge.actions.lifetime.settings import PrivacySettings, RetentionSettings
from snowgauge.actions.scripts.settings import ScriptsSettings
from snowgauge.alerts.settings import AlertsSettings
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.iglu.settings import RegistrySettings
from snowgauge.api.settings import ConsoleSettings
from snowgauge.collector.admission.settings import SecuritySettings
from snowgauge.collector.proxy.settings import ProxySettings
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.settings import EventLogSettings, SinksSettings
from snowgauge.enrich.enrichments.settings import EnrichmentsSettings
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.iglu.settings import IgluSettings
from snowgauge.mail.settings import MailSettings
from snowgauge.modelling.settings import ModellingSettings
from snowgauge.part_settings import PartSettings
from snowgauge.settings.deployment import CommonSettings, PerformanceSettings, PipelineSettings
from snowgauge.settings.tls import TlsSettings
from snowgauge.state.settings import SharedStateSettings
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.settings import ClickHouseSettings, StoreSettings
from snowgauge.telemetry.settings import (
    ElasticApmSettings,
    LoggingSettings,
    OpenTelemetrySettings,
    PrometheusSettings,
    SentrySettings,
)


class Settings(PartSettings):
    """A whole deployment."""

    common: CommonSettings = CommonSettings()
    """What concerns the whole deployment."""

    logging: LoggingSettings = LoggingSettings()
    """Log lines, on standard error."""

    collector: CollectorSettings = CollectorSettings()
    """The public door: what trackers and webhooks talk to. Names are those of Snowplow's `collector.hocon`."""

    security: SecuritySettings = SecuritySettings()
    """Which requests the collector's port takes. Names are Simple Snowplow's."""

    performance: PerformanceSettings = PerformanceSettings()
    """Limits under the names of Simple Snowplow."""

    eventlog: EventLogSettings = EventLogSettings()
    """Where payloads wait between collector and pipeline."""

    sinks: SinksSettings = SinksSettings()
    """Where events go beside the store."""

    iglu: IgluSettings = IgluSettings()
    """Where schemas are found."""

    enrich: EnrichSettings = EnrichSettings()
    """How payloads become events."""

    enrichments: EnrichmentsSettings = EnrichmentsSettings()
    """Configurable enrichments, and what they may reach."""

    store: StoreSettings = StoreSettings()
    """Where events are kept."""

    clickhouse: ClickHouseSettings = ClickHouseSettings()
    """ClickHouse: a server, a cluster, or the embedded engine."""

    postgres: PostgresSettings = PostgresSettings()
    """PostgreSQL, when `store.url` names one: the layout of the tables, limits of connections."""

    shared_state: SharedStateSettings = SharedStateSettings()
    """What all machines of a deployment share."""

    pipeline: PipelineSettings = PipelineSettings()
    """The workers between event log and store."""

    modelling: ModellingSettings = ModellingSettings()
    """Modelled tables: visits, page views, people, goals."""

    alerts: AlertsSettings = AlertsSettings()
    """Being told when something is wrong."""

    mail: MailSettings = MailSettings()
    """The mail server that messages are sent through."""

    console: ConsoleSettings = ConsoleSettings()
    """The private door: console, APIs, metrics and health."""

    registry: RegistrySettings = RegistrySettings()
    """The deployment's own schema registry, served as an Iglu Server."""

    agent: AgentSettings = AgentSettings()
    """The agent API: figures for a console elsewhere."""

    tls: TlsSettings = TlsSettings()
    """HTTPS at the front, by a proxy that `snowgauge serve` runs; certificates from Let's Encrypt or your own."""

    prometheus: PrometheusSettings = PrometheusSettings()
    """Figures on the collector's port."""

    sentry: SentrySettings = SentrySettings()
    """Errors and traces to Sentry."""

    elastic_apm: ElasticApmSettings = ElasticApmSettings()
    """Errors and traces to Elastic APM."""

    opentelemetry: OpenTelemetrySettings = OpenTelemetrySettings()
    """Traces by OpenTelemetry."""

    scripts: ScriptsSettings = ScriptsSettings()
    """The trackers' JavaScript that the collector serves, and the names it goes by."""

    proxy: ProxySettings = ProxySettings()
    """The analytics proxy."""

    imports: ImportsSettings = ImportsSettings()
    """Bringing in what was recorded elsewhere."""

    retention: RetentionSettings = RetentionSettings()
    """How long data is kept."""

    privacy: PrivacySettings = PrivacySettings()
    """Finding and erasing what is held about a person."""
