"""Over the engine's port nothing reaches files, programs or other hosts, whatever the statement looks like."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.testing.engine import EngineProcess, ask

SECRET = "the text of a file that nobody may read"
REFUSED = ("164", "452", "115", "46", "62")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return str(path)


def _refused(engine: EngineProcess, sql: str, **parameters: Any) -> None:
    for how in ({}, {"readonly": 1}, {"readonly": 2}):
        answer = ask(engine, sql, **how, **parameters)
        assert answer.status >= 400, (sql, how, answer.text)
        assert answer.headers["X-ClickHouse-Exception-Code"] in REFUSED, (sql, how, answer.text)
        assert SECRET not in answer.text.replace(sql, "")
    answer = ask(engine, method="GET", query=sql, **parameters)
    assert answer.headers["X-ClickHouse-Exception-Code"] in REFUSED, (sql, answer.text)


REACHING = [
    "file('{file}', 'LineAsString')",
    "`file`('{file}')",
    "`fi\\x6ce`('{file}', 'LineAsString')",
    "FILE('{file}')",
    "/**/file/* x */( '{file}' -- y\n)",
    "fileCluster('default', '{file}')",
    "url('http://127.0.0.1:1/', 'LineAsString')",
    "s3('http://127.0.0.1:1/x')",
    "gcs('http://127.0.0.1:1/x')",
    "azureBlobStorage('x', 'y', 'z')",
    "hdfs('hdfs://x/y')",
    "remote('127.0.0.1:1', system.one)",
    "remoteSecure('127.0.0.1:1', system.one)",
    "cluster('default', system.one)",
    "mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd', 'a Int8')",
    "redis('127.0.0.1:1', 'a', 'a Int8')",
    "sqlite('{file}', 'y')",
    "executable('id', 'TSV', 'a String')",
    "odbc('x', 'y', 'z')",
    "jdbc('x', 'y', 'z')",
    "iceberg('http://127.0.0.1:1/')",
    "deltaLake('http://127.0.0.1:1/')",
    "hudi('http://127.0.0.1:1/')",
    "icebergLocal('{file}')",
    "deltaLakeLocal('{file}')",
    "dictionary('x')",
    "Python(os)",
    "python(open)",
    "arrowFlight('127.0.0.1:1', 'x')",
    "ytsaurus('a', 'b', 'c', 'd')",
    "clusterAllReplicas('default', system.one)",
]


@pytest.mark.parametrize("reaching", REACHING)
def test_no_table_function_reaches_out(engine: EngineProcess, file: str, reaching: str) -> None:
    for around in ("SELECT * FROM {}", "INSERT INTO FUNCTION {} SELECT 1", "DESCRIBE TABLE {}"):
        _refused_wherever(engine, file, around, reaching)


@pytest.mark.parametrize(
    "around",
    [
        "SELECT * FROM {}",
        "WITH x AS (SELECT * FROM {}) SELECT * FROM x",
        "SELECT 1 WHERE 1 IN (SELECT 1 FROM {})",
        "SELECT * FROM view(SELECT * FROM {})",
        "DESCRIBE TABLE {}",
        "DESC {}",
        "EXPLAIN SELECT * FROM {}",
        "SELECT * FROM system.one AS a JOIN (SELECT * FROM {}) AS b ON 1",
        "SELECT 1 UNION ALL (SELECT * FROM {})",
        "INSERT INTO FUNCTION {} SELECT 1",
        "INSERT INTO FUNCTION {} VALUES (1)",
        "CREATE TABLE default.guarded AS {}",
        "CREATE VIEW default.guarded AS SELECT * FROM {}",
        "CREATE TEMPORARY TABLE guarded ENGINE = Memory AS SELECT * FROM {}",
        "CREATE MATERIALIZED VIEW default.guarded ENGINE = Memory AS SELECT * FROM {}",
        "INSERT INTO default.x SELECT * FROM {}",
    ],
)
def test_no_table_function_reaches_out_of_any_place(engine: EngineProcess, file: str, around: str) -> None:
    for reaching in (REACHING[0], REACHING[6]):
        _refused_wherever(engine, file, around, reaching)


def _refused_wherever(engine: EngineProcess, file: str, around: str, inner: str) -> None:
    sql = around.replace("{}", inner.replace("{file}", file))
    answer = ask(engine, sql)
    assert answer.headers["X-ClickHouse-Exception-Code"] in REFUSED, (sql, answer.text)
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT file('{file}')",
        "SELECT FiLe('{file}')",
        "SELECT * APPLY(x -> file(x)) FROM (SELECT '{file}')",
        "SELECT * APPLY(file) FROM (SELECT '{file}')",
        "SELECT COLUMNS('x') APPLY file FROM (SELECT '{file}' AS x)",
        "SELECT * REPLACE(file('{file}') AS dummy) FROM system.one",
        "SELECT arrayMap(x -> file(x), ['{file}'])",
        "SELECT file($${file}$$)",
        "SELECT file($tag${file}$tag$)",
        "SELECT if(1, file('{file}'), '')",
        "SELECT sum(length(file('{file}'))) OVER () FROM system.one",
        "SELECT 1 ORDER BY file('{file}')",
        "SELECT 1 LIMIT length(file('{file}'))",
        "SELECT 1 QUALIFY file('{file}') = ''",
        "SELECT hasColumnInTable('127.0.0.1:1', 'a', 'b', 'c', 'd', 'e')",
        "SELECT catboostEvaluate('{file}', 1)",
        "SELECT aiGenerate('x')",
        "SELECT evalMLMethod(1, 2)",
        "SELECT structureToCapnProtoSchema('a Int8')",
        "SELECT showCertificate()",
        "SELECT getServerSetting('x')",
        "SELECT dictGet('x', 'y', 1)",
        "SELECT regionToName(1)",
        "SELECT addressToLine(1)",
        "SELECT generateSerialID('/x')",
    ],
)
def test_no_function_reaches_out(engine: EngineProcess, file: str, sql: str) -> None:
    _refused(engine, sql.replace("{file}", file))


CLAUSES = [
    "format_template_row = '{file}'",
    "format_template_resultset = '{file}'",
    "format_schema = '{file}'",
    "format_avro_schema_registry_url = 'http://127.0.0.1:1'",
    "output_format_schema = '{file}'",
    "input_format_record_errors_file_path = '{file}'",
    "dialect = 'prql'",
    "implicit_select = 1",
    "max_memory_usage = 0",
    "max_memory_usage = 100000000000",
    "max_memory_usage = '0'",
    "max_memory_usage = DEFAULT",
    "allow_introspection_functions = 1",
    "user_files_path = '/'",
    "storage_policy = 'x'",
    "profile = 'default'",
    "disk = disk(type = web, endpoint = 'http://127.0.0.1:1/')",
    "disk = 'x'",
    "allow_ddl = 1",
    "readonly = 0",
    "http_forbid_headers = 1",
    "s3_max_connections = 1",
    "enable_json_ast_dialect = 1",
    "format_template_row",
    "`format_template_row` = '{file}'",
    "max_threads = 1, format_template_row = '{file}'",
]


@pytest.mark.parametrize("clause", CLAUSES)
def test_settings_are_those_of_the_list(engine: EngineProcess, file: str, clause: str) -> None:
    for around in ("SELECT 1 SETTINGS {}", "SELECT * FROM (SELECT 1 SETTINGS {})", "SET {}"):
        _refused_wherever(engine, file, around, clause)


@pytest.mark.parametrize(
    "around",
    [
        "SELECT 1 SETTINGS {}",
        "SELECT 1 FORMAT Template SETTINGS {}",
        "SELECT 1 SETTINGS {} FORMAT Template",
        "SELECT * FROM (SELECT 1 SETTINGS {})",
        "SET {}",
        "WITH x AS (SELECT 1 SETTINGS {}) SELECT * FROM x",
        "SELECT 1 UNION ALL SELECT 2 SETTINGS {}",
        "SELECT * FROM view(SELECT 1 SETTINGS {})",
        "INSERT INTO default.x SETTINGS {} VALUES (1)",
        "INSERT INTO default.x SETTINGS {} SELECT 1",
        "CREATE TABLE default.guarded (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS {}",
        "ALTER TABLE default.x MODIFY SETTING {}",
        "CREATE VIEW default.guarded AS SELECT 1 SETTINGS {}",
        "EXPLAIN SELECT 1 SETTINGS {}",
        "DESCRIBE TABLE (SELECT 1 SETTINGS {})",
    ],
)
def test_settings_are_judged_wherever_they_stand(engine: EngineProcess, file: str, around: str) -> None:
    for clause in (CLAUSES[0], "max_memory_usage = DEFAULT"):
        _refused_wherever(engine, file, around, clause)


ANSWERING = [
    "SELECT 1", "VALUES (1)", "TABLE default.x", "SELECT 1 UNION ALL SELECT 2", "SELECT 1 INTERSECT SELECT 1",
    "EXISTS default.x", "EXISTS TABLE default.x", "EXISTS TEMPORARY TABLE x", "EXISTS VIEW default.v",
    "EXISTS DICTIONARY default.d", "EXISTS DATABASE default", "SHOW CREATE default.x", "SHOW TABLE default.x",
    "SHOW CREATE TABLE default.x", "SHOW CREATE VIEW default.v", "SHOW CREATE DICTIONARY default.d",
    "SHOW CREATE DATABASE default", "SHOW PROCESSLIST", "SHOW FUNCTIONS", "SHOW FUNCTIONS LIKE 'x\nFORMAT y'",
    "SHOW ENGINES", "SHOW SETTING max_threads", "SHOW SETTINGS LIKE 'x'", "SHOW CHANGED SETTINGS LIKE 'x'",
    "SHOW TABLES", "SHOW DATABASES", "SHOW DICTIONARIES", "SHOW CLUSTERS", "SHOW MERGES", "SHOW COLUMNS FROM default.x",
    "SHOW INDEX FROM default.x", "DESCRIBE TABLE default.x", "DESC (SELECT 1)", "EXPLAIN SELECT 1",
    "EXPLAIN AST SELECT 1", "EXPLAIN SYNTAX SELECT 1", "EXPLAIN PIPELINE SELECT 1", "EXPLAIN QUERY TREE SELECT 1",
    "CHECK TABLE default.x", "CHECK ALL TABLES", "KILL QUERY WHERE 1 = 0", "KILL MUTATION WHERE 1 = 0",
    "OPTIMIZE TABLE default.x", "DROP TABLE IF EXISTS default.y", "DROP DATABASE IF EXISTS y",
    "TRUNCATE TABLE default.x", "RENAME TABLE default.x TO default.y", "DELETE FROM default.x WHERE a = 1",
    "UPDATE default.x SET a = 1 WHERE a = 1",
    "ALTER TABLE default.x DELETE WHERE a = 1", "CREATE TABLE default.y (a Int8) ENGINE = Memory",
    "CREATE VIEW default.y AS SELECT 1", "CREATE DATABASE y", "USE default", "UNDROP TABLE default.x",
]  # fmt: skip
"""A statement of each kind that ClickHouse's grammar lets an output format, a file or settings follow, and of those
that it might."""


@pytest.mark.parametrize("statement", ANSWERING)
def test_what_may_follow_a_statement_of_any_kind_is_judged(engine: EngineProcess, file: str, statement: str) -> None:
    for following in (
        "SETTINGS max_memory_usage = 0",
        "SETTINGS max_threads = 1, readonly = 0",
        "FORMAT Template SETTINGS format_template_row = '{file}'",
        "SETTINGS format_template_row = '{file}' FORMAT Template",
        "INTO OUTFILE '{file}.new'",
        "INTO OUTFILE '{file}.new' TRUNCATE FORMAT TSV SETTINGS max_threads = 1",
    ):
        _refused_wherever(engine, file, f"{statement} {{}}", following)
    assert os.listdir(Path(file).parent) == ["secret.txt"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format_template_row", "/etc/passwd"),
        ("format_schema", "x"),
        ("max_memory_usage", "0"),
        ("dialect", "kusto"),
        ("format_avro_schema_registry_url", "http://127.0.0.1:1"),
        ("profile", "default"),
        ("max_memory_usage", "many"),
    ],
)
def test_settings_in_the_address_and_in_forms_are_judged_too(engine: EngineProcess, name: str, value: str) -> None:
    assert ask(engine, "SELECT 1", **{name: value}).headers["X-ClickHouse-Exception-Code"] in ("452", "115")
    body = (
        f'--B\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n'
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--B--\r\n'
    )
    form = ask(engine, body, headers={"Content-Type": "multipart/form-data; boundary=B"})
    assert form.headers["X-ClickHouse-Exception-Code"] in ("452", "115")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 INTO OUTFILE '{file}.new'",
        "SELECT 1 INTO OUTFILE '{file}.new' APPEND FORMAT CSV",
        "EXPLAIN SELECT 1 INTO OUTFILE '{file}.new'",
        "INSERT INTO default.x FROM INFILE '{file}' FORMAT LineAsString",
        "CREATE TABLE default.guarded (a String) ENGINE = File('LineAsString')",
        "CREATE TABLE default.guarded (a String) ENGINE = `URL`('http://127.0.0.1:1/')",
        "CREATE TABLE default.guarded ENGINE = S3('http://127.0.0.1:1/') AS SELECT 1",
        "CREATE TABLE default.guarded (a String) ENGINE = Executable('id', 'TSV')",
        "CREATE TABLE default.guarded (a String) ENGINE = Distributed('c', 'd', 't')",
        "CREATE TABLE default.guarded (a String) ENGINE = Kafka",
        "CREATE TABLE default.guarded (a String) ENGINE = KeeperMap('/')",
        "CREATE MATERIALIZED VIEW default.guarded ENGINE = URL('http://127.0.0.1:1/') AS SELECT 1",
        "CREATE OR REPLACE TABLE default.guarded (a String DEFAULT file('{file}')) ENGINE = Memory",
        "CREATE TABLE default.guarded (a String ALIAS file('{file}')) ENGINE = Memory",
        "CREATE TABLE default.guarded (a Int8, CONSTRAINT c CHECK file('{file}') = '') ENGINE = Memory",
        "ALTER TABLE default.x ADD COLUMN b String DEFAULT file('{file}')",
        "ALTER TABLE default.x UPDATE a = file('{file}') WHERE 1",
        "ALTER TABLE default.x FREEZE",
        "ALTER TABLE default.x ATTACH PART 'p'",
        "ALTER TABLE default.x FETCH PARTITION 'p' FROM '/x'",
        "CREATE DATABASE guarded ENGINE = MySQL('127.0.0.1:1', 'a', 'b', 'c')",
        "CREATE DATABASE guarded ENGINE = Filesystem('/')",
        "CREATE DICTIONARY d (a Int8) PRIMARY KEY a SOURCE(EXECUTABLE(COMMAND 'id')) LAYOUT(FLAT()) LIFETIME(1)",
        "CREATE FUNCTION guarded AS x -> file(x)",
        "CREATE NAMED COLLECTION c AS url = 'http://127.0.0.1:1/'",
        "CREATE USER u",
        "GRANT ALL ON *.* TO default",
        "BACKUP TABLE system.one TO File('{file}')",
        "RESTORE TABLE x FROM File('{file}')",
        "ATTACH TABLE default.guarded FROM '/etc' (a String) ENGINE = File(TSV)",
        "ATTACH TABLE default.guarded",
        "DETACH TABLE default.x",
        "DETACH DATABASE default",
        "SYSTEM SHUTDOWN",
        "SYSTEM RELOAD CONFIG",
        "SYSTEM FLUSH LOGS",
        "EXECUTE AS default SELECT 1",
        "DROP TABLE default.a PARALLEL WITH DROP TABLE default.b",
        "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'a', 'b', 'c', 'd') PARTITION BY a",
        "SHOW GRANTS",
        "SHOW USERS",
        "SHOW ACCESS",
        "MOVE USER u TO local_directory",
        "BEGIN TRANSACTION",
        "SET ROLE ALL",
        "SELECT 1; SELECT file('{file}')",
    ],
)
def test_statements_and_engines_are_those_of_the_lists(engine: EngineProcess, file: str, sql: str) -> None:
    _refused(engine, sql.replace("{file}", file))
    assert os.listdir(Path(file).parent) == ["secret.txt"]


@given(st.text(st.sampled_from("abFILEfile\u0130\u212a()`\"'\\$ \n/*-;x06c"), max_size=12), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_spelling_of_a_function_gets_through(
    engine: EngineProcess, file: str, odd: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, 4))
    for name in (f"{'file'[:at]}{odd}{'file'[at:]}", f"{odd}file", f"file{odd}"):
        answer = ask(engine, f"SELECT {name}('{file}')")
        assert SECRET not in answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(), uniqExactIf(number, number > 1), quantilesTDigest(0.5)(number) FROM numbers(3)",
        "SELECT sumMergeState(s) FROM (SELECT sumState(number) AS s FROM numbers(3)) FORMAT Null",
        "SELECT toDate('2026-01-01') + INTERVAL 1 DAY, CAST(1, 'String'), CASE 1 WHEN 1 THEN 2 END, [1][1], (1, 2).1",
        "SELECT JSONExtractString('{}', 'a'), splitByChar(',', 'a,b'), arraySort(x -> -x, [1]), formatReadableSize(1)",
        "SELECT row_number() OVER (PARTITION BY number ORDER BY number) FROM numbers(2) QUALIFY 1",
        "SELECT 1 AS SETTINGS, 2 AS file, 3 AS url",
        "SELECT dummy AS `file(` FROM system.one",
        "SELECT 'file(''/etc'')'",
        "SELECT 1 SETTINGS max_threads = 1, max_execution_time = 5, output_format_json_quote_64bit_integers = 0",
        "SELECT number FROM numbers(3) LIMIT 1 BY number",
        "SELECT exists(SELECT 1), 1 IN (SELECT 1), NOT 1, -1, 1 BETWEEN 0 AND 2",
        "SELECT * EXCEPT dummy, 1 FROM system.one",
        "SELECT * APPLY(toString) FROM system.one",
        "SELECT {p:UInt8}",
        "SHOW TABLES FROM system",
        "SHOW CREATE DATABASE system",
        "SHOW DATABASES",
        "SHOW COLUMNS FROM one FROM system",
        "SHOW FUNCTIONS LIKE 'x'",
        "SHOW SETTINGS LIKE 'max_threads'",
        "DESCRIBE TABLE system.one",
        "DESCRIBE (SELECT 1)",
        "EXISTS TABLE system.one",
        "EXISTS TABLE system.one FORMAT JSON SETTINGS max_threads = 1",
        "SHOW CREATE DATABASE system FORMAT TSVRaw",
        "EXPLAIN indexes = 1 SELECT 1",
        "EXPLAIN AST SELECT 1",
        "EXPLAIN PIPELINE SELECT 1",
        "SELECT * FROM format(JSONEachRow, '{\"a\": 1}')",
        "WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a WHERE n < 3) SELECT n FROM a",
        "SELECT * FROM generateRandom('a Int8') LIMIT 1",
        "SELECT grouping(dummy) FROM system.one GROUP BY dummy WITH ROLLUP",
    ],
)
@pytest.mark.parametrize("readonly", [0, 2])
def test_everyday_sql_works(engine: EngineProcess, sql: str, readonly: int) -> None:
    answer = ask(engine, sql, readonly=readonly, param_p=1)
    assert answer.status == 200, answer.text


def test_tables_are_made_and_changed(engine: EngineProcess) -> None:
    for sql in (
        "CREATE DATABASE IF NOT EXISTS tools",
        "CREATE OR REPLACE TABLE tools.t (a Int64 CODEC(Delta, ZSTD(3)), s LowCardinality(String), "
        "INDEX i s TYPE bloom_filter(0.01) GRANULARITY 4) "
        "ENGINE = ReplacingMergeTree PARTITION BY intDiv(a, 100) ORDER BY a TTL toDateTime(a) + INTERVAL 1000 MONTH "
        "SETTINGS index_granularity = 1024, allow_nullable_key = 1, replicated_deduplication_window = 0",
        "CREATE TABLE tools.p (a Int64, s String, PROJECTION p (SELECT s, count() GROUP BY s)) "
        "ENGINE = MergeTree ORDER BY a",
        "INSERT INTO tools.t (a, s) SETTINGS async_insert = 0 VALUES (1, 'x')",
        "CREATE TABLE tools.u ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM tools.t",
        "CREATE OR REPLACE VIEW tools.v AS SELECT a FROM tools.t",
        "CREATE MATERIALIZED VIEW tools.m TO tools.u AS SELECT a, s FROM tools.t",
        "ALTER TABLE tools.t ADD COLUMN b Nullable(String) DEFAULT upper(s)",
        "ALTER TABLE tools.t UPDATE s = 'y' WHERE a = 1 SETTINGS mutations_sync = 1",
        "ALTER TABLE tools.u REPLACE PARTITION tuple() FROM tools.u",
        "DELETE FROM tools.t WHERE a = 2",
        "OPTIMIZE TABLE tools.t FINAL",
        "RENAME TABLE tools.u TO tools.w",
        "EXCHANGE TABLES tools.t AND tools.w",
        "TRUNCATE TABLE tools.w",
        "DROP TABLE tools.m SYNC",
        "DROP VIEW tools.v",
        "DROP DATABASE tools",
    ):
        answer = ask(engine, sql)
        assert answer.status == 200, (sql, answer.text)


def test_who_may_only_read_cannot_lift_the_limits_given_beside(engine: EngineProcess) -> None:
    lifted = "SELECT sleep(1) SETTINGS max_execution_time = 0"
    for readonly in (1, 2):
        refused = ask(engine, lifted, readonly=readonly, max_execution_time=1)
        assert refused.headers["X-ClickHouse-Exception-Code"] == "452"
    lowered = "SELECT 1 SETTINGS max_execution_time = 0.5"
    assert ask(engine, lowered, readonly=2, max_execution_time=1).status == 200


def test_a_statement_nested_very_deeply_is_refused_and_nothing_breaks(engine: EngineProcess) -> None:
    answer = ask(engine, "SELECT " + "(" * 5_000 + "1" + ")" * 5_000)
    assert answer.status >= 400
    assert ask(engine, "SELECT " + "-" * 900 + "1").status in (200, 400, 500)
    assert ask(engine, "SELECT 1").text == "1\n"
