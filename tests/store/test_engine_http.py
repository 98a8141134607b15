"""The embedded engine answers as ClickHouse's HTTP interface does."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
import zlib
from typing import Any
from urllib.parse import urlencode, urlsplit

import lz4.frame
import pytest

from snowgauge.store.clickhouse.engine.zstandard import zstd
from snowgauge.testing.engine import Answer, EngineProcess, ask


@pytest.fixture
def table(engine: EngineProcess) -> Any:
    ask(engine, "CREATE TABLE default.numbers_kept (n Int64, s String) ENGINE = MergeTree ORDER BY n")
    yield "default.numbers_kept"
    ask(engine, "DROP TABLE default.numbers_kept SYNC")


@pytest.mark.parametrize("path", ["/ping", "/replicas_status", "/"])
def test_health(engine: EngineProcess, path: str) -> None:
    answer = ask(engine, method="GET", path=path)
    assert (answer.status, answer.body) == (200, b"Ok.\n")


def test_a_query_by_get_and_by_post(engine: EngineProcess) -> None:
    assert ask(engine, method="GET", query="SELECT 1").text == "1\n"
    assert ask(engine, "SELECT 1").text == "1\n"
    assert ask(engine, "1 + 1", query="SELECT").text == "2\n"
    assert ask(engine, "SELECT 2 AS a FORMAT JSONEachRow").text == '{"a":2}\n'
    assert ask(engine, "SELECT 2 AS a", default_format="JSONEachRow").text == '{"a":2}\n'
    assert ask(engine, "SELECT 2", headers={"X-ClickHouse-Format": "CSV"}).text == "2\n"


def test_headers(engine: EngineProcess) -> None:
    answer = ask(engine, "SELECT number FROM numbers(3) FORMAT CSVWithNames", query_id="mine")
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
    assert answer.headers["X-ClickHouse-Format"] == "CSVWithNames"
    assert answer.headers["X-ClickHouse-Timezone"].endswith("UTC")
    assert answer.headers["Content-Type"] == "text/csv; charset=UTF-8; header=present"
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["result_rows"] == "3"


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELEC 1", 400, 62),
        ("SELECT * FROM nowhere", 404, 60),
        ("SELECT nothing", 404, 47),
        ("SELECT no_such_function(1)", 404, 46),
        ("SELECT * FROM nowhere.t", 404, 81),
        ("SELECT 1 FORMAT Nonsense", 404, 73),
        ("SELECT toInt32('x')", 400, 6),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT sleep(3) SETTINGS max_execution_time = 0.1", 408, 159),
        ("SELECT 1; SELECT 2", 400, 62),
        ("", 400, 62),
    ],
)
def test_errors(engine: EngineProcess, sql: str, status: int, code: int) -> None:
    answer = ask(engine, sql)
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_parameters_and_settings(engine: EngineProcess) -> None:
    answer = ask(engine, "SELECT {a:String}, {b:Array(Int8)}, getSetting('max_threads')", param_a="it's",
                 param_b="[1,2]", max_threads=1)  # fmt: skip
    assert answer.text == "it\\'s\t[1,2]\t1\n"
    assert ask(engine, "SELECT 1", no_such_setting=1).headers["X-ClickHouse-Exception-Code"] == "115"
    assert ask(engine, "SELECT 1", **{"a b;": 1}).headers["X-ClickHouse-Exception-Code"] == "115"
    assert ask(engine, "SELECT currentDatabase()", database="system").text == "system\n"
    assert ask(engine, "SELECT 1", database="`; DROP DATABASE x").status == 404


def test_long_parameters_come_as_a_form(engine: EngineProcess) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT length({a:String})\r\n'
        b'--B\r\nContent-Disposition: form-data; name="param_a"\r\n\r\n' + b"x" * 300_000 + b"\r\n--B--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    assert ask(engine, body, headers=headers).text == "300000\n"
    refused = ask(engine, body.replace(b'name="param_a"', b'name="t"; filename="t"'), headers=headers)
    assert refused.status == 501


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("INSERT INTO {t} FORMAT TSV", b"1\ta\n2\tb\n"),
        ("", b"INSERT INTO {t} FORMAT TSV\n1\ta\n2\tb\n"),
        ("", b"INSERT INTO {t} (s, n) FORMAT JSONCompactEachRow\n[\"a\", 1]\n[\"b\", 2]"),
        ("", b"insert into {t} values (1, 'a'), (2, 'b')"),
        ("INSERT INTO {t} VALUES", b"(1, 'a'), (2, 'b')"),
        ("INSERT INTO {t} (n, s) SETTINGS async_insert = 0 FORMAT CSV", b'1,"a"\n2,"b"\n'),
        ("INSERT INTO {t} SELECT number + 1, char(97 + number) FROM numbers(2)", b""),
        ("", b"/* FORMAT TSV */ INSERT INTO {t} -- VALUES\n (n, s) FORMAT CSV 1,a\n2,b\n"),
    ],
)  # fmt: skip
def test_inserts(engine: EngineProcess, table: str, query: str, body: bytes) -> None:
    parameters = {"query": query.replace("{t}", table)} if query else {}
    answer = ask(engine, body.replace(b"{t}", table.encode()), **parameters)
    assert answer.status == 200, answer.text
    assert ask(engine, f"SELECT n, s FROM {table} ORDER BY n").text == "1\ta\n2\tb\n"


def test_a_bad_row_refuses_the_insert_whole(engine: EngineProcess, table: str) -> None:
    answer = ask(engine, f"INSERT INTO {table} FORMAT TSV\n1\ta\nx\tb\n")
    assert answer.status == 400
    assert ask(engine, f"SELECT count() FROM {table}").text == "0\n"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("lz4", lz4.frame.compress), ("zstd", zstd().compress)],
)
def test_compressed_bodies_both_ways(engine: EngineProcess, table: str, encoding: str, pack: Any) -> None:
    rows = b"".join(b"%d\t%b\n" % (n, b"text" * 100) for n in range(10_000))
    answer = ask(engine, pack(rows), headers={"Content-Encoding": encoding}, query=f"INSERT INTO {table} FORMAT TSV")
    assert answer.status == 200, answer.text
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "10000"
    unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress, "lz4": lz4.frame.decompress,
              "zstd": zstd().decompress}[encoding]  # fmt: skip
    back = ask(engine, f"SELECT n, s FROM {table} ORDER BY n", headers={"Accept-Encoding": encoding},
               enable_http_compression=1)  # fmt: skip
    assert back.headers["Content-Encoding"] == encoding
    assert unpack(back.body) == rows


@pytest.mark.parametrize("encoding", ["gzip", "lz4", "zstd", "br"])
def test_broken_compression_is_an_error(engine: EngineProcess, table: str, encoding: str) -> None:
    answer = ask(engine, b"no such thing", headers={"Content-Encoding": encoding},
                 query=f"INSERT INTO {table} FORMAT TSV")  # fmt: skip
    assert answer.status in (500, 501)
    assert ask(engine, f"SELECT count() FROM {table}").text == "0\n"


@pytest.mark.parametrize(
    "name",
    ["TSV", "TSVWithNames", "TSVWithNamesAndTypes", "CSV", "CSVWithNames", "JSONEachRow", "JSONCompactEachRow",
     "JSONCompactEachRowWithNamesAndTypes", "RowBinaryWithNamesAndTypes", "RowBinary", "JSON", "JSONCompact"],
)  # fmt: skip
def test_a_streamed_result_is_one_document(engine: EngineProcess, name: str) -> None:
    """Over many blocks it is byte for byte what one block gives."""
    sql = f'SELECT number AS `a\nb,"c"`, toString(number) AS s FROM numbers(50000) FORMAT {name}'
    cut = ask(engine, sql, max_block_size=1000, max_threads=1, output_format_write_statistics=0)
    whole = ask(engine, sql, max_block_size=100_000, max_threads=1, output_format_write_statistics=0)
    assert cut.body == whole.body
    assert len(cut.body) > 100_000


def test_an_error_in_the_middle_of_a_stream_is_marked(engine: EngineProcess) -> None:
    answer = ask(engine, "SELECT number, repeat('x', 100), throwIf(number = 900000) FROM numbers(1000000)",
                 max_block_size=10_000, max_threads=1)  # fmt: skip
    tag = answer.headers["X-ClickHouse-Exception-Tag"]
    assert b"__exception__\r\n" + tag.encode() in answer.body
    assert b"Code: 395" in answer.body[-2000:]
    whole = ask(engine, "SELECT number, repeat('x', 100), throwIf(number = 900000) FROM numbers(1000000)",
                max_block_size=10_000, max_threads=1, wait_end_of_query=1)  # fmt: skip
    assert whole.status == 500


FILES = [
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM `fi\\x6ce`('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:1/x', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM sqlite('/tmp/x', 'y')",
    "SELECT 1 WHERE 1 IN (SELECT count() FROM url('http://127.0.0.1:1/'))",
    "WITH x AS (SELECT * FROM file('/etc/passwd', 'LineAsString')) SELECT * FROM x",
    "SELECT * FROM view(SELECT * FROM file('/etc/passwd', 'LineAsString'))",
    "DESCRIBE TABLE file('/etc/passwd', 'LineAsString')",
    "DESCRIBE TABLE url('http://127.0.0.1:1/')",
    "EXPLAIN SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM Python(os)",
    "SELECT 1 INTO OUTFILE '/tmp/never-written'",
    "INSERT INTO FUNCTION file('/tmp/never-written', 'TSV', 'a Int8') VALUES (1)",
    "CREATE TABLE default.t (a Int8) ENGINE = Memory",
    "DROP DATABASE system",
    "SYSTEM FLUSH LOGS",
    "SELECT 1; DROP TABLE system.one",
]


@pytest.mark.parametrize("sql", FILES)
@pytest.mark.parametrize("how", ["readonly=1", "readonly=2", "GET", "session"])
def test_a_read_only_request_reaches_nothing_outside(engine: EngineProcess, sql: str, how: str) -> None:
    if how == "GET":
        answer = ask(engine, method="GET", query=sql)
    elif how == "session":
        answer = ask(engine, sql, readonly=1, session_id="guarded")
    else:
        answer = ask(engine, sql, readonly=how[-1])
    assert answer.status >= 400
    assert answer.headers["X-ClickHouse-Exception-Code"] in ("164", "62"), answer.text


@pytest.mark.parametrize("sql", ["SELECT * FROM '/etc/passwd'", "SELECT * FROM default.`/etc/passwd`"])
def test_a_path_is_no_table(engine: EngineProcess, sql: str) -> None:
    assert ask(engine, sql).headers["X-ClickHouse-Exception-Code"] == "60"


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM numbers(3)", "SHOW TABLES FROM system", "DESCRIBE TABLE system.one", "EXISTS TABLE system.one",
     "EXPLAIN SELECT 1", "WITH 1 AS x SELECT x", "SELECT * FROM values('a Int8', 1)", "SELECT {p:UInt8}"],
)  # fmt: skip
@pytest.mark.parametrize("readonly", [1, 2])
def test_read_only_requests_read(engine: EngineProcess, sql: str, readonly: int) -> None:
    assert ask(engine, sql, readonly=readonly, param_p=1, max_execution_time=5).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Host": "rebound.evil.example:8123"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
        {"sec-fetch-site": "none"}, {"Sec-Fetch-Mode": "navigate"}, {"Sec-Fetch-User": "?1"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/ping", "/query"])
def test_pages_in_a_browser_are_refused(engine: EngineProcess, headers: dict[str, str], path: str) -> None:
    assert ask(engine, "SELECT 1", headers=headers, path=path).status == 403
    assert ask(engine, method="GET", path=path, headers=headers, query="SELECT 1").status == 403


def test_no_answer_is_of_use_to_a_page(engine: EngineProcess) -> None:
    for answer in (ask(engine, "SELECT 1"), ask(engine, "SELEC 1"), ask(engine, method="GET", path="/ping")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Access-Control-Allow-Origin"] is None
    assert ask(engine, "SELECT 1", headers={"Host": "localhost:8123"}).status == 200


def test_sessions_keep_settings_and_temporary_tables(engine: EngineProcess) -> None:
    assert ask(engine, "CREATE TEMPORARY TABLE kept (n Int8)", session_id="s1").status == 200
    assert ask(engine, "INSERT INTO kept VALUES (7)", session_id="s1").status == 200
    assert ask(engine, "SELECT n FROM kept", session_id="s1").text == "7\n"
    assert ask(engine, "SELECT n FROM kept", session_id="s2").status == 404
    ask(engine, "SET max_threads = 1", session_id="s1")
    assert ask(engine, "SELECT getSetting('max_threads')", session_id="s1", max_threads=2).text == "2\n"
    assert ask(engine, "SELECT getSetting('max_threads')", session_id="s1").text == "1\n"
    assert (
        ask(engine, "SELECT 1", session_id="unknown", session_check=1).headers["X-ClickHouse-Exception-Code"] == "372"
    )


def test_a_slow_query_blocks_nobody(engine: EngineProcess) -> None:
    done: list[Answer] = []
    slow = threading.Thread(
        target=lambda: done.append(ask(engine, "SELECT count() FROM numbers(1000000000000)", max_execution_time=2))
    )
    slow.start()
    assert ask(engine, "SELECT 1").text == "1\n"
    assert slow.is_alive()
    slow.join()
    assert done[0].status == 408


def _running(engine: EngineProcess, mark: str) -> bool:
    sql = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    return ask(engine, sql).text != "0\n"


def _until(condition: Any) -> bool:
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_kill_query_by_the_clients_id(engine: EngineProcess) -> None:
    done: list[Answer] = []
    slow = threading.Thread(
        target=lambda: done.append(ask(engine, "SELECT count(), 'kill_me' FROM numbers(1000000000000)", query_id="q-7"))
    )
    slow.start()
    assert _until(lambda: _running(engine, "kill_me"))
    assert ask(engine, "KILL QUERY WHERE query_id = 'q-7' ASYNC").status == 200
    slow.join()
    assert done[0].headers["X-ClickHouse-Exception-Code"] == "394"


def test_a_read_whose_client_is_gone_is_cancelled(engine: EngineProcess) -> None:
    parts = urlsplit(engine.url)
    with socket.create_connection((str(parts.hostname), parts.port)) as connection:
        query = urlencode({"query": "SELECT count(), 'left_alone' FROM numbers(1000000000000)"})
        connection.sendall(f"GET /?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert _until(lambda: _running(engine, "left_alone"))
    assert _until(lambda: not _running(engine, "left_alone"))


def test_too_large_a_query_gets_an_error_and_the_engine_lives(engine: EngineProcess) -> None:
    answer = ask(engine, "SELECT groupArray(repeat('x', 100000)) FROM numbers(100000)")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "241"
    assert ask(engine, "SELECT 1").text == "1\n"


def test_no_log_tables_grow(engine: EngineProcess) -> None:
    ask(engine, "SELECT 1")
    names = ask(engine, "SELECT name FROM system.tables WHERE database = 'system' AND engine LIKE '%MergeTree'").text
    assert names == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nSEL",
        b"GET /?query=%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %%%\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_hostile_requests_harm_nobody(engine: EngineProcess, raw: bytes) -> None:
    parts = urlsplit(engine.url)
    with socket.create_connection((str(parts.hostname), parts.port)) as connection:
        connection.settimeout(30)
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    assert ask(engine, "SELECT 1").text == "1\n"


def test_chunked_inserts(engine: EngineProcess, table: str) -> None:
    parts = urlsplit(engine.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
    rows = (b"%d\tx\n" % n for n in range(1000))
    connection.request(
        "POST", "/?" + urlencode({"query": f"INSERT INTO {table} FORMAT TSV"}), rows, encode_chunked=True
    )
    assert connection.getresponse().read() == b""
    connection.request("POST", "/", f"SELECT count() FROM {table}")
    assert connection.getresponse().read() == b"1000\n"
    connection.close()
