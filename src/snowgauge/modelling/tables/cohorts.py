"""``derived.cohort_members``: the IDs of cohorts that are lists."""

from snowgauge.modelling.definition import Column, Table, Type

MEMBERS = Table(
    name="cohort_members",
    row="cohort and ID",
    words="The IDs of cohorts that are lists. Whom they mean is looked up in `sessions` when a question is asked.",
    columns=(
        Column("cohort_id", Type.TEXT, "The cohort"),
        Column("id", Type.TEXT, "A person ID, user ID or visitor ID"),
        Column("folded", Type.TEXT, "The ID in lower case, by which erasures look"),
        Column("at", Type.TIME, "When the row was written"),
    ),
    key=("cohort_id", "id"),
    order=("cohort_id", "id"),
    search=("folded",),
    version_column="at",
    kind="state",
)
