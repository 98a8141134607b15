"""What alerting remembers: alerts, channels, the state of each alert, and every message with what became of it."""

from snowgauge.modelling.definition import Column, Table, Type

_AT = Column("at", Type.TIME, "When the row was written")
RULES = Table(
    name="alert_rules",
    row="alert",
    words="Alerts that people made or changed; those that are there from the start have a row once they are changed.",
    columns=(
        Column("id", Type.TEXT, "The alert"),
        Column("body", Type.TEXT, "What it watches, as JSON"),
        Column("changed_by", Type.TEXT, "Who changed it last"),
        _AT,
    ),
    key=("id",),
    order=("id",),
    version_column="at",
    kind="state",
)
CHANNELS = Table(
    name="alert_channels",
    row="channel",
    words="Where messages go. Addresses that are secret, and keys, are sealed.",
    columns=(
        Column("id", Type.TEXT, "The channel"),
        Column("body", Type.TEXT, "Its name, kind and rules, as JSON"),
        Column("sealed", Type.TEXT, "Its secrets, encrypted with the deployment's key"),
        Column("changed_by", Type.TEXT, "Who changed it last"),
        _AT,
    ),
    key=("id",),
    order=("id",),
    version_column="at",
    kind="state",
)
STATES = Table(
    name="alert_states",
    row="alert and key",
    words="What holds now. The key is what the alert is about: an application, an event, a cause; `*` says up to when "
    "the alert was evaluated.",
    columns=(
        Column("rule_id", Type.TEXT, "The alert"),
        Column("key", Type.TEXT, "What of it"),
        Column("body", Type.TEXT, "The state, as JSON"),
        _AT,
    ),
    key=("rule_id", "key"),
    order=("rule_id", "key"),
    version_column="at",
    kind="state",
)
MESSAGES = Table(
    name="alert_messages",
    row="message and channel",
    words="The history of alerts and the log of deliveries: written before anything is sent.",
    columns=(
        Column("id", Type.TEXT, "The message: made of the alert, the key and the change, the same however often the "
               "change is found"),
        Column("channel_id", Type.TEXT, "The channel; empty: the console's bell"),
        Column("rule_id", Type.TEXT, "The alert"),
        Column("status", Type.LABEL, "waiting, sending, sent, failed, skipped, or shown (the bell)"),
        Column("body", Type.TEXT, "The message, and its tries, as JSON"),
        Column("created", Type.TIME, "When it was made"),
        _AT,
    ),
    key=("id", "channel_id"),
    order=("id", "channel_id"),
    search=("status",),
    version_column="at",
    kind="state",
)  # fmt: skip
PLAN = Table(
    name="plan_notes",
    row="event or drift of the tracking plan",
    words="What people said about it.",
    columns=(
        Column("id", Type.TEXT, "`event <application>/<name>`, or the id of a drift"),
        Column("status", Type.LABEL, "Event: planned, deprecated, ignored, or empty; drift: accepted or ignored"),
        Column("owner", Type.TEXT, "Who looks after it"),
        Column("description", Type.TEXT, "What it means"),
        Column("changed_by", Type.TEXT, "Who said so"),
        _AT,
    ),
    key=("id",),
    order=("id",),
    version_column="at",
    kind="state",
)
