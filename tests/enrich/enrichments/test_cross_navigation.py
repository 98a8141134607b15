"""Cross navigation survives any linker. The rules themselves: ``cases/cross_navigation.json``."""

from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.cross_navigation import CrossNavigation
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing.enriching import failures_of, means_with, source_with

ENRICHMENT = CrossNavigation.create({}, means_with())


@given(st.text(alphabet="ab.0123456789-+=/_\x00é"))
def test_a_linker_either_works_or_fails_and_then_sets_nothing(text):
    event = EnrichedEvent()
    if failures_of(ENRICHMENT, event, source_with(page_query=[("_sp", text)])):
        assert event == EnrichedEvent()


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_long_is_a_time_or_a_clear_failure(ms):
    event = EnrichedEvent()
    failures = failures_of(ENRICHMENT, event, source_with(page_query=[("_sp", f"a.{ms}")]))
    assert (event.refr_dvce_tstamp == ms) != bool(failures)
    assert all(failure.message.endswith("is not Redshift-compatible") for failure in failures)
