"""The lake: Parquet files that DuckDB and pyarrow read, each batch once, on disk and in S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyarrow import dataset

from snowgauge.delivery.sinks.files.settings import FilesSettings
from snowgauge.errors import SettingsError, SinkUnavailable
from snowgauge.store.base import StoreBatch
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view

DAY = 86_400_000
CART = described("iglu:com.acme/cart/jsonschema/1-0-2", {"total": 12.5, "note": "x\ud800"})
BUY = described("iglu:com.acme/buy/jsonschema/2-0-0", {"sku": "a", "big": 2**70})


def lake(folder: Path, **settings: Any) -> Any:
    given = {"url": "lake", **settings}
    return FilesSettings.model_validate(given).open("files", folder)["files"]


BATCH = StoreBatch(
    "topic/1/0-9",
    [
        web_page_view(1, tr_total="10.5", se_value="0.25", page_title="a\ud800"),
        web_page_view(2, contexts=[CART, CART]),
        web_page_view(3, collector_tstamp=NOON + DAY, event_name="a/../b=c", unstruct_event=BUY),
        web_page_view(4, event_name=None),
        web_page_view(5, txn_id=2**40),
    ],
    [schema_violation(1)],
    [web_page_view(6)],
)


def test_files_lie_by_kind_day_and_name_each_batch_once(tmp_path: Path) -> None:
    sink = lake(tmp_path, kinds=["good", "failed", "incomplete"])
    for _ in range(2):
        (refused,) = sink.deliver(BATCH)
    assert refused.batch.events == [BATCH.events[4]]
    assert "txn_id" in refused.reason
    sink.deliver(StoreBatch("topic/1/9-12", [web_page_view(7)]))
    found = sorted(str(path.relative_to(tmp_path / "lake")) for path in tmp_path.rglob("*") if path.is_file())
    assert found == [
        "failed/day=2024-05-01/type=schema_violations/topic_1_0-9.parquet",
        "good/day=2024-05-01/name=__HIVE_DEFAULT_PARTITION__/topic_1_0-9.parquet",
        "good/day=2024-05-01/name=page_view/topic_1_0-9.parquet",
        "good/day=2024-05-01/name=page_view/topic_1_9-12.parquet",
        "good/day=2024-05-02/name=a%2F..%2Fb%3Dc/topic_1_0-9.parquet",
        "incomplete/day=2024-05-01/name=page_view/topic_1_0-9.parquet",
    ]


def test_duckdb_reads_types_partitions_and_schema_columns(tmp_path: Path) -> None:
    lake(tmp_path).deliver(BATCH)
    files = f"read_parquet('{tmp_path}/lake/good/**/*.parquet', hive_partitioning=true, union_by_name=true)"
    duck = duckdb.connect()
    duck.execute("SET TimeZone = 'UTC'")

    def ask(sql: str) -> list[Any]:
        return duck.execute(sql).fetchall()

    assert ask(f"SELECT count(*), count(DISTINCT event_id) FROM {files}") == [(4, 4)]
    assert ask(
        f"SELECT name, count(*) FROM {files} WHERE day = DATE '2024-05-01' GROUP BY name ORDER BY name NULLS LAST"
    ) == [
        ("page_view", 2),
        (None, 1),
    ]
    assert ask(
        f"SELECT tr_total, se_value, page_title, br_cookies, page_urlport FROM {files} WHERE tr_total IS NOT NULL"
    ) == [(Decimal("10.50"), 0.25, "a?", True, 443)]
    assert ask(f"SELECT DISTINCT typeof(collector_tstamp), typeof(tr_total), typeof(txn_id) FROM {files}") == [
        ("TIMESTAMP WITH TIME ZONE", "DECIMAL(18,2)", "INTEGER")
    ]
    assert ask(f"SELECT epoch_ms(min(collector_tstamp)) FROM {files}") == [(NOON + 1000,)]
    carts = "unnest(from_json(contexts_com_acme_cart_1, '[\"JSON\"]')) AS cart"
    assert ask(f"SELECT sum((cart->>'$.total')::DOUBLE) FROM (SELECT {carts} FROM {files})") == [(25.0,)]
    ((text,),) = ask(
        f"SELECT unstruct_event_com_acme_buy_2 FROM {files} WHERE unstruct_event_com_acme_buy_2 IS NOT NULL"
    )
    assert json.loads(text) == BUY.data


def test_pyarrow_reads_the_same(tmp_path: Path) -> None:
    lake(tmp_path, kinds=["good", "failed"]).deliver(BATCH)
    good = dataset.dataset(tmp_path / "lake" / "good", partitioning="hive").to_table()
    assert good.num_rows == 4
    assert sorted(good.column("event_id").to_pylist()) == sorted(str(event.event_id) for event in BATCH.events[:4])
    assert min(good.column("collector_tstamp").to_pylist()) == datetime.fromtimestamp(NOON / 1000 + 1, UTC)
    failed = dataset.dataset(tmp_path / "lake" / "failed", partitioning="hive").to_table().to_pylist()
    assert json.loads(failed[0]["bad_row"]) == json.loads(BATCH.failed[0].bad_row_json())


def test_a_place_that_cannot_be_written_gets_the_batch_again(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file is in the way")
    with pytest.raises(SinkUnavailable, match="lake cannot be written"):
        lake(tmp_path).deliver(BATCH)


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    assert FilesSettings().open("files", tmp_path) == {}
    with pytest.raises(SettingsError, match="nowhere"):
        lake(tmp_path, url="nowhere://x/y")
    with pytest.raises(ValueError, match="put them into options"):
        lake(tmp_path, url="s3://key:secret@bucket/x")


@pytest.fixture
def bucket() -> Iterator[dict[str, str]]:
    pytest.importorskip("s3fs", reason="s3fs, of the extra snowgauge[s3], is not installed")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"key": "id", "secret": "key", "endpoint_url": f"http://{host}:{port}"}
    client = boto3.client(
        "s3", endpoint_url=options["endpoint_url"], aws_access_key_id="id", aws_secret_access_key="key",
        region_name="us-east-1",
    )  # fmt: skip
    client.create_bucket(Bucket="lake")
    yield options
    client.close()
    server.stop()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # of the test server
def test_object_storage(tmp_path: Path, bucket: dict[str, str]) -> None:
    import s3fs

    sink = lake(tmp_path, url="s3://lake/events", options=bucket)
    for _ in range(2):
        sink.deliver(BATCH)
    files = s3fs.S3FileSystem(**bucket, skip_instance_cache=True)
    found = files.find("lake/events")
    assert [path.removeprefix("lake/events/") for path in found] == [
        "good/day=2024-05-01/name=__HIVE_DEFAULT_PARTITION__/topic_1_0-9.parquet",
        "good/day=2024-05-01/name=page_view/topic_1_0-9.parquet",
        "good/day=2024-05-02/name=a%2F..%2Fb%3Dc/topic_1_0-9.parquet",
    ]
    with files.open(found[1]) as file:
        from pyarrow import parquet

        assert parquet.read_table(file).num_rows == 2
    missing = lake(tmp_path, url="s3://no-such-bucket/events", options=bucket)
    with pytest.raises(SinkUnavailable, match="s3://no-such-bucket/events cannot be written"):
        missing.deliver(BATCH)
