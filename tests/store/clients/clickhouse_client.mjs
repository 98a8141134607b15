// What programs do with ClickHouse's JavaScript client, with its default settings.
import { createClient } from "@clickhouse/client";

const [url, username, password] = process.argv.slice(2);
const client = createClient({ url, username, password });
await client.command({
  query: "CREATE OR REPLACE TABLE default.from_js (n Int64, s String) ENGINE = MergeTree ORDER BY n",
});
const values = Array.from({ length: 1000 }, (_, n) => ({ n, s: `s${n % 7}` }));
await client.insert({ table: "default.from_js", values, format: "JSONEachRow" });
const rows = await client.query({
  query: "SELECT n, s FROM default.from_js WHERE n >= {least: Int64} ORDER BY n",
  query_params: { least: 0 },
  format: "JSONEachRow",
});
const found = await rows.json();
console.log(found.length, found.reduce((sum, row) => sum + Number(row.n), 0));
try {
  await client.query({ query: "SELECT nothing FROM default.from_js" });
} catch (refused) {
  console.log(refused.code);
}
console.log((await client.ping()).success);
await client.close();
