/** Queries to begin with, in the store's own dialect: over all events, and one for each schema that it holds. */
import type { Schemas } from "../api/client";

type Table = Schemas["Table"];
export interface Sample {
  group: string;
  title: string;
  sql: string;
}
export type Dialect = "clickhouse" | "postgres";

export function dialectOf(tables: Table[]): Dialect {
  const events = tables.find((one) => one.name.endsWith(".events"));
  return events?.columns.some((one) => /^(LowCardinality|DateTime64|String|UInt)/.test(one.type)) === false ? "postgres" : "clickhouse";
}

export function samplesOf(tables: Table[]): Sample[] {
  const dialect = dialectOf(tables);
  const events = tables.find((one) => /(^|\.)events$/.test(one.name))?.name ?? "atomic.events";
  const schema = events.slice(0, Math.max(0, events.lastIndexOf(".")));
  const ago = (count: number, unit: "day" | "hour") => (dialect === "clickhouse" ? `now() - INTERVAL ${count} ${unit.toUpperCase()}` : `now() - interval '${count} ${unit}'`);
  const [hour, people] = dialect === "clickhouse" ? ["toStartOfHour(collector_tstamp)", "uniq(domain_userid)"] : ["date_trunc('hour', collector_tstamp)", "count(DISTINCT domain_userid)"];
  const all = "All events";
  const general: Sample[] = [
    { group: all, title: "Events by name, last 7 days", sql: `SELECT event_name, count(*) AS events, ${people} AS visitors\nFROM ${events}\nWHERE collector_tstamp > ${ago(7, "day")}\nGROUP BY event_name\nORDER BY events DESC` },
    { group: all, title: "Events per hour, last day", sql: `SELECT ${hour} AS hour, count(*) AS events\nFROM ${events}\nWHERE collector_tstamp > ${ago(1, "day")}\nGROUP BY hour\nORDER BY hour` },
    { group: all, title: "Top pages, last 7 days", sql: `SELECT page_urlpath, count(*) AS views\nFROM ${events}\nWHERE event_name = 'page_view' AND collector_tstamp > ${ago(7, "day")}\nGROUP BY page_urlpath\nORDER BY views DESC\nLIMIT 50` },
    { group: all, title: "Days of one application (parameters)", sql: `SELECT ${dialect === "clickhouse" ? "toDate(collector_tstamp)" : "collector_tstamp::date"} AS day, count(*) AS events\nFROM ${events}\nWHERE app_id = {application:String} AND collector_tstamp >= {first_day:Date}\nGROUP BY day\nORDER BY day` },
    { group: all, title: "Failed events by reason", sql: `SELECT failure_type, schema, count(*) AS failures\nFROM ${schema ? `${schema}.` : ""}failed_events\nGROUP BY failure_type, schema\nORDER BY failures DESC` },
  ];
  return [...general, ...(dialect === "clickhouse" ? ofColumns(tables, events, ago(7, "day")) : ofTables(tables, events, schema, ago(7, "day")))];
}

/** ClickHouse keeps a schema's data in a column of the events. */
function ofColumns(tables: Table[], events: string, since: string): Sample[] {
  const columns = tables.find((one) => one.name === events)?.columns ?? [];
  return columns.flatMap(({ name }): Sample[] => {
    if (/^contexts_.+_\d+$/.test(name)) return [{ group: "Entities", title: words(name.slice(9)), sql: `SELECT event_id, collector_tstamp, event_name, arrayJoin(${name}) AS entity\nFROM ${events}\nWHERE notEmpty(${name}) AND collector_tstamp > ${since}\nORDER BY collector_tstamp DESC\nLIMIT 100` }];
    if (/^unstruct_event_.+_\d+$/.test(name)) {
      const event = name.slice(15).replace(/_\d+$/, "");
      return [{ group: "Self-describing events", title: words(name.slice(15)), sql: `SELECT event_id, collector_tstamp, app_id, ${name}\nFROM ${events}\nWHERE endsWith('${event}', event_name) AND event_name != '' AND collector_tstamp > ${since}\nORDER BY collector_tstamp DESC\nLIMIT 100` }];
    }
    return [];
  });
}

/** PostgreSQL keeps it in a table of its own. */
function ofTables(tables: Table[], events: string, schema: string, since: string): Sample[] {
  return tables
    .filter((one) => one.name.startsWith(`${schema}.`) && one.columns.some((column) => column.name === "root_id") && one.columns.some((column) => column.name === "root_tstamp"))
    .map((one) => ({ group: "Schemas", title: words(one.name.slice(schema.length + 1)), sql: `SELECT e.app_id, e.event_name, t.*\nFROM ${one.name} t\nJOIN ${events} e ON e.event_id = t.root_id AND e.collector_tstamp = t.root_tstamp\nWHERE t.root_tstamp > ${since}\nORDER BY t.root_tstamp DESC\nLIMIT 100` }));
}

function words(name: string): string {
  return name.replace(/_(\d+)$/, ", version $1").replace(/_/g, " ");
}
