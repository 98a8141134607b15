"""Fetching the free databases, from a server of ours that has them as DB-IP does."""

import gzip
import http.server
import threading
from datetime import date

import pytest

from snowgauge.enrich import city_database
from snowgauge.enrich.assets import AssetCache
from snowgauge.enrich.enrichments.ip_lookups import IpLookups
from snowgauge.errors import AssetError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.outgoing import HttpClient
from snowgauge.testing.enriching import means_with, source_with
from snowgauge.testing.mmdb import write_mmdb

TODAY = date(2026, 1, 2)


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.server.files.get(self.path)
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args):
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.files = {}
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.address = f"http://127.0.0.1:{made.server_address[1]}/{{name}}-{{month}}.mmdb.gz"
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def fetch(server, folder, **more):
    client = HttpClient(timeout=60, retries=0, allow_private_hosts=True)
    return city_database.fetch(folder, client, TODAY, address=server.address, **more)


def test_the_newest_edition_is_kept_where_ip_lookups_finds_it(server, tmp_path):
    city = write_mmdb(tmp_path / "x.mmdb", {"198.51.100.0/24": {"city": {"names": {"en": "Oslo"}}}}, "DBIP-City-Lite")
    asn = write_mmdb(tmp_path / "y.mmdb", {"198.51.100.0/24": {"autonomous_system_number": 7}}, "DBIP-ASN-Lite")
    server.files["/dbip-city-lite-2025-12.mmdb.gz"] = gzip.compress(city.read_bytes())
    server.files["/dbip-asn-lite-2026-01.mmdb.gz"] = gzip.compress(asn.read_bytes())
    folder = tmp_path / "assets"
    fetched = fetch(server, folder)
    assert [database.path.name for database in fetched] == [
        "dbip-city-lite-2025-12.mmdb",
        "dbip-asn-lite-2026-01.mmdb",
    ]
    means = means_with()
    means.assets = AssetCache(folder, means.http)
    event = EnrichedEvent(user_ipaddress="198.51.100.1")
    (entity,) = IpLookups.create({}, means).enrich(event, source_with())
    assert (event.geo_city, entity.data) == ("Oslo", {"number": 7})


def test_no_edition_says_what_was_tried_and_what_to_do(server, tmp_path):
    with pytest.raises(AssetError, match=r"no edition at .*2026-01.*404.* or .*2025-12.*fetch a database .* yourself"):
        fetch(server, tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"<html>", gzip.compress(b"no database"), gzip.compress(b"x" * 100)[:-9]],
    ids=["a page", "another file", "cut off"],
)
def test_what_is_no_database_is_not_kept(server, tmp_path, content):
    server.files["/dbip-city-lite-2026-01.mmdb.gz"] = content
    with pytest.raises(AssetError, match="is not a"):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_connection_it_says_how_to_do_by_hand(tmp_path):
    client = HttpClient(timeout=1, retries=0, allow_private_hosts=True)
    with pytest.raises(AssetError, match=r"cannot be fetched: .* fetch http://127.0.0.1:1/x elsewhere and put"):
        city_database.fetch(tmp_path, client, TODAY, address="http://127.0.0.1:1/x")
