"""Files of the spool moved or deleted while they are in use: nothing is acknowledged that no reader would find."""

from __future__ import annotations

import shutil

import pytest

from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.spool import SpoolLog
from snowgauge.delivery.spool import folder as files
from snowgauge.errors import LogUnavailable
from snowgauge.testing.asgi import Client
from snowgauge.testing.eventlog.asking import bodies, drain, drain_until, entries, subscribed


def segment(folder):
    (found,) = folder.glob("0*-*.sqlite")
    return found


def replace(file):
    """As an editor or a careless restore does: the same name, another file."""
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.rename(file)


DISPLACEMENTS = {
    "a segment deleted": lambda folder: files.remove(segment(folder)),
    "a segment moved": lambda folder: segment(folder).rename(folder.parent / "elsewhere"),
    "a segment replaced": lambda folder: replace(segment(folder)),
    "its log deleted": lambda folder: files.log_file(segment(folder)).unlink(),
    "its log replaced": lambda folder: replace(files.log_file(segment(folder))),
    "its note deleted": lambda folder: files.kept_file(segment(folder)).unlink(),
    "the folder deleted": shutil.rmtree,
    "the folder moved": lambda folder: folder.rename(folder.with_name("elsewhere")),
    "the folder emptied": lambda folder: [file.unlink() for file in folder.iterdir()],
    "the lock deleted": lambda folder: files.writer_lock(folder, 0).unlink(),
    "the lock replaced": lambda folder: replace(files.writer_lock(folder, 0)),
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def log(folder):
    return SpoolLog(folder, linger=0, min_free_bytes=0)


@pytest.fixture
def writer(log):
    writer = log.writer()
    writer.append(entries("before"))
    yield writer
    writer.close()


@pytest.mark.parametrize("displacement", DISPLACEMENTS)
@pytest.mark.parametrize("when", ["between two requests", "in the middle of a commit"])
def test_what_goes_into_a_displaced_file_is_not_acknowledged(folder, log, writer, displacement, when):
    displace = DISPLACEMENTS[displacement]
    if when == "between two requests":
        displace(folder)
    else:
        writer._segment._database.set_trace_callback(lambda sql: displace(folder) if sql == "COMMIT" else None)
    with pytest.raises(LogUnavailable):
        writer.append(entries("lost"))
    writer.healthy()  # looks for what else is gone
    writer.append(entries("after"))
    with subscribed(log) as subscription:
        assert drain_until(subscription, lambda found: "after" in bodies(found))[-1].body == b"after"


@pytest.mark.parametrize("displacement", DISPLACEMENTS)
def test_health_says_so_before_any_request_came(folder, writer, displacement):
    assert writer.healthy()
    DISPLACEMENTS[displacement](folder)
    assert not writer.healthy()
    assert writer.healthy(), "it goes on in new files"


def test_a_folder_that_cannot_be_made_again_is_unhealthy_until_it_can(folder, log, writer):
    shutil.rmtree(folder)
    folder.write_text("")
    for _ in range(3):
        assert not writer.healthy()
        with pytest.raises(LogUnavailable):
            writer.append(entries("lost"))
    folder.unlink()
    writer.healthy()
    writer.append(entries("after"))
    with subscribed(log) as subscription:
        assert bodies(drain_until(subscription, bool)) == ["after"]


def test_requests_get_503_and_then_200_and_so_does_sink_health(folder, log):
    with Client(create_app(CollectorSettings(), log.writer())) as client:
        assert client.request("POST", "/a/b", body=b"{}").status == 200
        files.remove(segment(folder))
        assert client.request("POST", "/a/b", body=b"{}").status == 503
        assert client.request("GET", "/sink-health").status == 503
        assert client.request("POST", "/a/b", body=b"{}").status == 200
        assert client.request("GET", "/sink-health").status == 200


def test_two_writers_never_share_a_number(folder, log, writer):
    files.writer_lock(folder, 0).unlink()
    with_the_same = log.writer()
    with_the_same.append(entries("another's"))
    assert with_the_same.number == 0
    with pytest.raises(LogUnavailable):
        writer.append(entries("lost"))
    assert writer.number == 1
    writer.append(entries("after"))
    with subscribed(log) as subscription:
        assert sorted(bodies(drain_until(subscription, lambda found: len(found) >= 3))) == [
            "after",
            "another's",
            "before",
        ]
    with_the_same.close()


@pytest.mark.parametrize("displacement", ["the folder deleted", "the folder moved", "the folder emptied"])
def test_a_reader_goes_on_where_its_folder_was_displaced(folder, log, writer, displacement):
    with subscribed(log) as subscription:
        assert bodies(drain(subscription)) == ["before"]
        DISPLACEMENTS[displacement](folder)
        with pytest.raises(LogUnavailable):
            writer.append(entries("lost"))
        writer.append(entries("after"))
        assert bodies(drain_until(subscription, bool)) == ["after"]
        with pytest.raises(LogUnavailable, match="already being read"):
            log.subscribe()
    with subscribed(log) as subscription:
        assert subscription.read(0) is None, "where it has come to is in the new folder"
