"""What `enrichments list` shows."""

from snowgauge.enrich import configs, means
from snowgauge.enrich.enrichments.base import PLACES
from snowgauge.enrich.enrichments.settings import EnrichmentsSettings
from snowgauge.enrich.listing import listed, not_configured
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.testing.mmdb import write_mmdb


def test_the_default_set_with_a_database_in_the_data_folder(tmp_path):
    (tmp_path / "assets").mkdir()
    file = write_mmdb(tmp_path / "assets" / "dbip-city-lite-2026-11.mmdb", {"198.51.100.0/24": {}}, "DBIP-City-Lite")
    made, assets, http = means.build(EnrichmentsSettings(), tmp_path)
    validator = build(IgluSettings(iglu_central=False), None)[1]
    loaded = configs.load(None, validator, made, {})
    rows = {row.name: row for row in listed(loaded, assets.ages())}
    assert [row.runs_at for row in rows.values()] == sorted(row.runs_at for row in rows.values())
    (asset,) = rows["ip_lookups"].assets
    assert (rows["ip_lookups"].on, asset.uri, asset.size) == (True, file.as_uri(), file.stat().st_size)
    assert (rows["asn_lookups"].on, rows["asn_lookups"].assets) == (False, ())
    assert "list of networks" in rows["asn_lookups"].why_off
    others = {row.name: row for row in not_configured(loaded)}
    assert (others["pii_enrichment_config"].on, others["pii_enrichment_config"].why_off) == (False, "not configured")
    assert rows.keys().isdisjoint(others)
    assert set(PLACES) == set(rows) | set(others)
    loaded.close()
    http.close()


def test_settings_reach_the_means(tmp_path):
    settings = EnrichmentsSettings(script_time_limit="250 ms", script_memory_limit="8 MiB", allow_private_hosts=True)
    made, assets, http = means.build(settings, tmp_path)
    assert (made.script_seconds, made.script_memory, made.allow_private_hosts) == (0.25, 8 * 1024**2, True)
    assert made.assets is assets
    assert made.http is http
    http.close()
