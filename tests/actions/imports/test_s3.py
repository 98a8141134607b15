"""Logs in a bucket, at a local S3 server."""

import gzip

import boto3
import pytest
from moto.server import ThreadedMotoServer

from snowgauge.actions.imports.files import find_files
from snowgauge.actions.imports.s3 import S3
from snowgauge.actions.imports.settings import ImportsSettings
from snowgauge.errors import SnowgaugeError
from snowgauge.testing.cloudfront import FIELDS, log_line

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # of the test server


@pytest.fixture(scope="module")
def server():
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield ImportsSettings(
        s3_endpoint=f"http://{host}:{port}", s3_region="eu-central-1", s3_access_key_id="id", s3_secret_access_key="key"
    )
    running.stop()


@pytest.fixture
def bucket(server):
    client = boto3.client(
        "s3",
        endpoint_url=server.s3_endpoint,
        region_name="eu-central-1",
        aws_access_key_id="id",
        aws_secret_access_key="key",
    )
    client.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield client
    for found in client.list_objects_v2(Bucket="logs").get("Contents", ()):
        client.delete_object(Bucket="logs", Key=found["Key"])
    client.delete_bucket(Bucket="logs")
    client.close()


def put(client, key, numbers):
    lines = [log_line(f"e=pv&p=web&aid={n}", request_id=f"r{n}") for n in numbers]
    text = "#Version: 1.0\n#Fields: " + " ".join(FIELDS) + "\n" + "".join(f"{line}\n" for line in lines)
    client.put_object(Bucket="logs", Key=key, Body=gzip.compress(text.encode()))


def test_new_objects_are_imported_and_known_ones_left_alone(place, server, bucket):
    storage = S3(server)

    def run(location="s3://logs/pixel/"):
        return place.run(files=list(find_files(location, lambda: storage)))

    put(bucket, "pixel/E1.2024-05-01-10.aaa.gz", range(3))
    put(bucket, "other/E1.2024-05-01-10.aaa.gz", range(100, 103))
    bucket.put_object(Bucket="logs", Key="pixel/", Body=b"")
    assert run().events == 3
    put(bucket, "pixel/E1.2024-05-01-11.bbb.gz", range(3, 5))
    second = run()
    assert (second.events, second.files_known) == (2, 1)
    put(bucket, "pixel/E1.2024-05-01-11.bbb.gz", range(3, 7))
    third = run()
    assert (third.events, third.repeated) == (2, 2)


def test_more_objects_than_one_answer_lists(server, bucket):
    for number in range(7):
        bucket.put_object(Bucket="logs", Key=f"many/{number}", Body=b"x")
    names = [file.name for file in S3(server, page=3).files("s3://logs/many/")]
    assert names == [f"s3://logs/many/{number}" for number in range(7)]


def test_an_object_that_is_gone_is_told_and_the_others_read(place, server, bucket):
    put(bucket, "a.gz", [1])
    put(bucket, "b.gz", [2])
    files = list(S3(server).files("s3://logs/"))
    bucket.delete_object(Bucket="logs", Key="a.gz")
    totals = place.run(files=files)
    assert (totals.events, totals.files_failed) == (1, 1)
    assert "s3://logs/a.gz: cannot be read" in place.told[0]


@pytest.mark.parametrize(
    ("location", "reason"),
    [("s3://nothing-there/x", "s3://nothing-there/x cannot be listed"), ("s3://", "expected s3://bucket/prefix"),
     ("ftp://host/x", "expected a path or s3://bucket/prefix")],
)  # fmt: skip
def test_places_that_are_none(server, location, reason):
    with pytest.raises(SnowgaugeError, match=reason):
        list(find_files(location, lambda: S3(server)))
