"""Assets from real files, a real web server and fsspec; a failed refresh keeps the old one."""

import http.server
import threading
from datetime import timedelta

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from snowgauge.enrich.assets import AssetCache, joined
from snowgauge.errors import AssetError
from snowgauge.outgoing import HttpClient
from snowgauge.telemetry import metrics


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("if-none-match")))
        found = self.server.files.get(self.path)
        if found is None:
            status, body, tag = 404, b"", None
        else:
            tag, body = found
            status = 304 if tag and self.headers.get("if-none-match") == tag else 200
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        if status == 200:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.seen, made.files = [], {}
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{made.server_address[1]}"
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def clock():
    class Clock:
        now = 1_700_000_000.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def cache(tmp_path, clock):
    return new_cache(tmp_path, clock)


def new_cache(tmp_path, clock, **more):
    http_client = HttpClient(timeout=60, retries=0, allow_private_hosts=True)
    return AssetCache(tmp_path / "assets", http_client, clock=clock, **more)


WEEK = 7 * 86400


def test_a_web_file_is_fetched_once_and_asked_for_by_its_tag(server, cache, clock):
    server.files["/a.json"] = ('"1"', b"one")
    asset = cache.get(f"{server.url}/a.json", bytes.decode)
    assert asset.value == "one"
    assert cache.refresh() == [], "younger than the period"
    clock.now += WEEK + 1
    assert cache.refresh() == []
    assert server.seen == [("/a.json", None), ("/a.json", '"1"')]


def test_a_changed_file_is_swapped(server, cache, clock):
    server.files["/a.json"] = ('"1"', b"one")
    asset = cache.get(f"{server.url}/a.json", bytes.decode)
    server.files["/a.json"] = ('"2"', b"two")
    clock.now += WEEK + 1
    assert cache.refresh() == [f"{server.url}/a.json"]
    assert asset.value == "two"


def test_a_second_start_needs_no_network(server, cache, tmp_path, clock):
    server.files["/a.json"] = (None, b"one")
    cache.get(f"{server.url}/a.json", bytes.decode)
    clock.now += 60
    assert new_cache(tmp_path, clock).get(f"{server.url}/a.json", bytes.decode).value == "one"
    assert len(server.seen) == 1


def test_a_process_sees_what_another_fetched(server, cache, tmp_path, clock):
    server.files["/a.json"] = (None, b"one")
    mine = cache.get(f"{server.url}/a.json", bytes.decode)
    server.files["/a.json"] = (None, b"two")
    clock.now += WEEK + 1
    other = new_cache(tmp_path, clock)
    assert other.get(f"{server.url}/a.json", bytes.decode).value == "two"
    assert cache.refresh() == [f"{server.url}/a.json"]
    assert mine.value == "two"
    assert len(server.seen) == 2


def test_a_failed_refresh_keeps_the_old_one(server, cache, clock):
    server.files["/a.json"] = ('"1"', b"one")
    asset = cache.get(f"{server.url}/a.json", bytes.decode)
    del server.files["/a.json"]
    clock.now += WEEK + 1
    assert cache.refresh() == []
    assert asset.value == "one"
    (status,) = cache.ages()
    assert "status 404" in status.error
    counted = f'snowgauge_asset_refresh_failures_total{{asset="{server.url}/a.json"}} 1.0'
    assert counted in metrics.render().decode()


def test_a_refresh_that_cannot_be_read_keeps_the_old_one(server, cache, tmp_path, clock):
    uri = f"{server.url}/a.json"
    server.files["/a.json"] = ('"1"', b"1")
    asset = cache.get(uri, int)
    for number in (2, 3):
        server.files["/a.json"] = (f'"{number}"', b"<html>" + bytes(number))
        clock.now += WEEK + 1
        assert cache.refresh() == []
        assert asset.value == 1
        (status,) = cache.ages()
        assert "cannot be read" in status.error
        assert new_cache(tmp_path, clock).get(uri, int).value == 1, "also for whoever starts now"
    server.files["/a.json"] = ('"4"', b"4")
    clock.now += WEEK + 1
    assert cache.refresh() == [uri]
    assert asset.value == 4
    (status,) = cache.ages()
    assert status.error is None


def test_at_start_an_old_copy_serves_while_the_server_is_away(server, cache, tmp_path, clock):
    server.files["/a.json"] = ('"1"', b"one")
    cache.get(f"{server.url}/a.json", bytes.decode)
    server.files.clear()
    clock.now += 2 * WEEK
    later = new_cache(tmp_path, clock)
    assert later.get(f"{server.url}/a.json", bytes.decode).value == "one"
    (status,) = later.ages()
    assert "status 404" in status.error


def test_ages(server, cache, clock):
    server.files["/a.json"] = ('"1"', b"one")
    cache.get(f"{server.url}/a.json", bytes.decode)
    clock.now += WEEK + 1
    cache.refresh()
    clock.now += 10
    (status,) = cache.ages()
    assert (status.size, status.age, status.checked, status.error) == (3, WEEK + 11, 10, None)


def test_a_thread_refreshes_until_stopped(server, tmp_path, clock):
    server.files["/a.json"] = (None, b"one")
    cache = new_cache(tmp_path, clock, period=timedelta(seconds=0.1))
    asset = cache.get(f"{server.url}/a.json", bytes.decode)
    swapped = threading.Event()
    load = asset._read

    def read():
        result = load()
        swapped.set()
        return result

    asset._read = read
    server.files["/a.json"] = (None, b"two")
    clock.now += 1
    cache.start()
    assert swapped.wait(10)
    cache.stop()
    assert asset.value == "two"


@pytest.mark.parametrize("form", ["path", "uri"])
def test_local_files(cache, tmp_path, form):
    file = tmp_path / "a b.txt"
    file.write_text("one")
    asset = cache.get(str(file) if form == "path" else file.as_uri(), bytes.decode)
    file.write_text("second")
    assert cache.refresh() == [asset.uri]
    assert asset.value == "second"


def test_a_file_for_mapping_is_a_copy_that_stays(cache, tmp_path):
    file = tmp_path / "a.mmdb"
    file.write_text("one")
    opened = []

    def load(path):
        opened.append(path.open("rb"))
        return path

    cache.get_file(str(file), load)
    file.write_text("two!")
    cache.refresh()
    assert [handle.read() for handle in opened] == [b"one", b"two!"]
    for handle in opened:
        handle.close()


def test_the_newest_file_of_a_pattern_is_found(cache, tmp_path):
    import os

    folder = tmp_path / "assets"
    folder.mkdir()
    for number, name in enumerate(("dbip-city-lite-2026-10.mmdb", "dbip-city-lite-2026-11.mmdb", "other.csv")):
        (folder / name).write_text("x")
        os.utime(folder / name, (number, number))
    assert cache.find("*city*.mmdb").endswith("/dbip-city-lite-2026-11.mmdb")
    assert cache.find("*.yaml") is None


class FakeS3(MemoryFileSystem):
    protocol = "s3"
    store = {}  # noqa: RUF012 (the base class shares its store as well)
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path):
        return "/" + path.removeprefix("s3://").strip("/")


def test_object_stores_through_fsspec(cache, clock):
    fsspec.register_implementation("s3", FakeS3, clobber=True)
    FakeS3().pipe("s3://bucket/a.txt", b"one")
    asset = cache.get("s3://bucket/a.txt", bytes.decode)
    FakeS3().pipe("s3://bucket/a.txt", b"second")
    clock.now += WEEK + 1
    assert cache.refresh() == ["s3://bucket/a.txt"]
    assert asset.value == "second"
    with pytest.raises(AssetError, match=r"s3://bucket/none\.txt cannot be fetched: FileNotFoundError"):
        cache.get("s3://bucket/none.txt", bytes)


@pytest.mark.parametrize(("uri", "extra"), [("gs://b/x", "gcs"), ("az://b/x", "azure")])
def test_a_missing_driver_is_named_with_the_extra_that_brings_it(cache, uri, extra):
    from importlib.util import find_spec

    if find_spec({"gcs": "gcsfs", "azure": "adlfs"}[extra]):
        pytest.skip("the driver is installed")
    with pytest.raises(AssetError, match=rf"pip install 'snowgauge\[{extra}\]'"):
        cache.get(uri, bytes)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("/nowhere/x", "No such file"),
        ("file:///nowhere/x", "No such file"),
        ("ftp://x/y", "its scheme is 'ftp'; possible are a path, file:, http:, https:, s3:, gs:, az:"),
    ],
)
def test_what_cannot_be_had_is_said(cache, uri, message):
    with pytest.raises(AssetError, match=message):
        cache.get(uri, bytes)


def test_an_empty_or_missing_web_file_is_refused(server, cache):
    server.files["/empty"] = (None, b"")
    with pytest.raises(AssetError, match="is empty"):
        cache.get(f"{server.url}/empty", bytes)
    with pytest.raises(AssetError, match="status 404"):
        cache.get(f"{server.url}/none", bytes)


def test_the_guard_holds_for_assets(server, tmp_path, clock):
    guarded = AssetCache(tmp_path, HttpClient(timeout=1, retries=0), clock=clock)
    with pytest.raises(AssetError, match="not a public address"):
        guarded.get(f"{server.url}/a", bytes)


def test_joined():
    assert joined("https://x.example/a", "b.mmdb") == joined("https://x.example/a/", "b.mmdb")
