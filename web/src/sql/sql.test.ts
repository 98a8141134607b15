import { describe, expect, it } from "vitest";
import { inputOf, placeholdersOf } from "./placeholders";
import { dialectOf, samplesOf } from "./samples";
import { chartOf } from "./SqlResult";

const table = (name: string, columns: [string, string][]) => ({ name, columns: columns.map(([column, type]) => ({ name: column, type, comment: "" })) });
const clickhouse = [table("atomic.events", [["event_name", "LowCardinality(String)"], ["contexts_com_acme_cart_1", "Array(JSON)"], ["unstruct_event_com_acme_add_to_cart_1", "JSON"]])];
const postgres = [table("atomic.events", [["event_name", "character varying"]]), table("atomic.com_acme_cart_1", [["root_id", "uuid"], ["root_tstamp", "timestamp"]])];

describe("SQL", () => {
  it("has parameters where a statement has them", () => {
    expect(placeholdersOf("SELECT {a:String}, '{b:String}' -- {c:Date}\n, { d : Array(String) }, {a:String}")).toEqual([
      { name: "a", type: "String" },
      { name: "d", type: "Array(String)" },
    ]);
    expect(["Date", "date", "UInt64", "Float64", "String", "DateTime"].map(inputOf)).toEqual(["date", "date", "number", "number", "text", "text"]);
  });
  it("has samples in the store's own dialect, one for each schema", () => {
    expect([dialectOf(clickhouse), dialectOf(postgres)]).toEqual(["clickhouse", "postgres"]);
    expect(samplesOf(clickhouse).map((one) => one.title)).toEqual(expect.arrayContaining(["com acme cart, version 1", "com acme add to cart, version 1"]));
    expect(samplesOf(postgres).at(-1)?.sql).toContain("JOIN atomic.events e ON e.event_id = t.root_id");
    expect(samplesOf(postgres).every((one) => !/toStartOfHour|INTERVAL \d/.test(one.sql))).toBe(true);
  });
  it("is drawn by its numbers", () => {
    expect(chartOf({ columns: ["day", "n"], rows: [["2026-01-01", "12"], ["2026-01-02", null]] })).toEqual({ labels: ["2026-01-01", "2026-01-02"], kind: "line", series: [{ name: "n", values: [12, null] }] });
    expect(chartOf({ columns: ["a"], rows: [["x"]] })).toBeNull();
  });
});
