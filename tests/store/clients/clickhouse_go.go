package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"database/sql"
	"github.com/ClickHouse/clickhouse-go/v2"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	opts, err := clickhouse.ParseDSN(os.Args[1])
	must(err)
	if len(os.Args) > 2 && os.Args[2] == "lz4" {
		opts.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	if len(os.Args) > 2 && os.Args[2] == "zstd" {
		opts.Compression = &clickhouse.Compression{Method: clickhouse.CompressionZSTD}
	}
	conn, err := clickhouse.Open(opts)
	must(err)
	ctx := context.Background()
	must(conn.Ping(ctx))
	must(conn.Exec(ctx, "CREATE OR REPLACE TABLE default.from_go (n Int64, s LowCardinality(String), l LowCardinality(Nullable(String)), t DateTime64(3, 'UTC'), a Array(Nullable(String)), m Map(String, Int64), u UUID, d Decimal(18, 2), x Tuple(a Int8, b String), f FixedString(2)) ENGINE = MergeTree ORDER BY n"))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO default.from_go (n, s, t, a, m)")
	must(err)
	word := "p"
	for n := int64(0); n < 1000; n++ {
		must(batch.Append(n, fmt.Sprint("s", n%7), time.Unix(n, 0), []*string{&word, nil}, map[string]int64{"k": n}))
	}
	must(batch.Send())
	rows, err := conn.Query(ctx, "SELECT n, s, l, t, a, m, toString(u), toString(d), x.b, f FROM default.from_go ORDER BY n")
	must(err)
	var count, sum int64
	for rows.Next() {
		var n int64
		var s, b, f string
		var l *string
		var t time.Time
		var a []*string
		var m map[string]int64
		var dd string
		var uuid string
		_ = uuid
		must(rows.Scan(&n, &s, &l, &t, &a, &m, &uuid, &dd, &b, &f))
		if s != fmt.Sprint("s", n%7) || t.Unix() != n || len(a) != 2 || *a[0] != "p" || a[1] != nil || m["k"] != n {
			must(fmt.Errorf("row %d is not as it was sent: %v %v %v %v", n, s, t, a, m))
		}
		count++
		sum += n
	}
	must(rows.Err())
	fmt.Println(count, sum)
	var empty uint64
	must(conn.QueryRow(ctx, "SELECT count() FROM default.from_go WHERE 0").Scan(&empty))
	_, err = conn.Query(ctx, "SELECT nothing FROM default.from_go")
	fmt.Println(err)
	db := sql.OpenDB(clickhouse.Connector(opts))
	var v string
	must(db.QueryRow("SELECT version()").Scan(&v))
	many, err := conn.Query(ctx, "SELECT number, toString(number) FROM numbers(300000)")
	must(err)
	var seen uint64
	for many.Next() {
		seen++
	}
	must(many.Err())
	fmt.Println(seen)
}
