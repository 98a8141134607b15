"""An insert that the engine knows and has no rows of is stored when it comes again."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.engine.known_inserts import forget_unwritten
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess


@pytest.mark.parametrize("kind", ["MergeTree", "ReplacingMergeTree"])
def test_killed_between_the_token_and_the_part_of_an_insert(tmp_path: Path, kind: str) -> None:
    """As the engine's writes lie on the disk then: the token in the log, the part under the name of one being made."""
    engine = EngineProcess(tmp_path / "data").start()

    def connection() -> Connection:
        return Connection(engine_connection(ClickHouseSettings(), engine.url))

    def insert(number: int) -> None:
        body = b'{"n":%d}\n{"n":%d}' % (number, number + 100)
        connection().insert("mine", ["n"], body, f"batch-{number}", {"insert_deduplicate": 1})

    def numbers() -> list[int]:
        return [row[0] for row in connection().rows("SELECT n FROM mine ORDER BY n")]

    try:
        connection().command(
            f"CREATE TABLE mine (n UInt64) ENGINE = {kind} PARTITION BY n > 99 ORDER BY n "
            "SETTINGS non_replicated_deduplication_window = 100"
        )
        insert(1)
        insert(2)
        connection().command("OPTIMIZE TABLE mine FINAL")
        insert(3)
        (name, path) = connection().rows(
            "SELECT name, path FROM system.parts WHERE table = 'mine' AND active AND level < 2 AND partition = '0' "
            "ORDER BY min_block_number DESC LIMIT 1"
        )[0]
        engine.kill()
        Path(path).rename(Path(path).with_name(f"tmp_insert_{name}"))
        engine.start()
        assert numbers() == [1, 2, 101, 102, 103], "the half of a block in one partition is of that partition alone"
        for again in (1, 2, 3, 3):
            insert(again)
        assert numbers() == [1, 2, 3, 101, 102, 103]
        engine.kill()
        engine.start()
        insert(3)
        assert numbers() == [1, 2, 3, 101, 102, 103]
    finally:
        engine.stop()


def test_tokens_stay_while_their_part_or_what_it_was_merged_into_is_there(tmp_path: Path) -> None:
    table = tmp_path / "store" / "abc" / "abcdef"
    logs = table / "deduplication_logs"
    logs.mkdir(parents=True)
    for part in (
        "202612_1_3_1",
        "202612_2_2_0",
        "202612_11_12_1",
        "202612_5_5_0_9",
        "a_b_7_7_0",
        "tmp_insert_202612_6_6_0",
        "delete_tmp_202612_4_4_0",
    ):
        (table / part).mkdir()
    stay = [
        "1\t202612_1_1_0\tx1\n", "1\t202612_3_3_1\tx3\n", "1\t202612_5_5_0\tx5\n", "1\ta_b_7_7_0\tx7\n",
        "2\t202612_9_9_0\tx9\n", "1\t202612_2_2_0\tx2\n", "1\t202612_12_12_0\tx12\n",
    ]  # fmt: skip
    go = ["1\t202612_4_4_0\tx4\n", "1\t202612_6_6_0\tx6\n", "1\t202611_1_1_0\ty1\n", "1\ta_b_8_8_0\tx8\n"]
    go += ["1\t202612_10_10_0\tx10\n", "1\t202612_13_13_0\tx13\n", "1\t202612_0_0_0\tx0\n", "1\t2026"]
    first, second = logs / "deduplication_log_1.txt", logs / "deduplication_log_2.txt"
    first.write_text("".join(stay))
    before = first.stat().st_ino
    second.write_text("".join([stay[0], go[0], stay[1], *go[1:]]))
    forget_unwritten(tmp_path)
    assert first.stat().st_ino == before, "one with nothing to forget is left as it is"
    assert first.read_text() == "".join(stay)
    assert second.read_text() == "".join(stay[:2])
    assert sorted(file.name for file in logs.iterdir()) == [first.name, second.name]
