/** The same rows in Live: columns of events that say what dimensions of visits say. */
import { filterText as liveText, type Op } from "../../view/filters";
import { absoluteText } from "../../view/ranges";
import { type AnyFilter, isCondition, type Value } from "./filters";
import { PROPERTY } from "./definitions";

const COLUMNS: Record<string, string> = {
  app: "app_id",
  "event:page": "page_urlpath",
  "event:hostname": "page_urlhost",
  "event:page_title": "page_title",
  "event:query": "page_urlquery",
  "event:name": "event_name",
  "event:vendor": "event_vendor",
  "event:category": "se_category",
  "event:action": "se_action",
  "event:label": "se_label",
  "event:property": "se_property",
  "visit:country": "geo_country",
  "visit:city": "geo_city",
  "visit:region_name": "geo_region_name",
  "visit:language": "br_lang",
  "visit:timezone": "os_timezone",
  "visit:utm_source": "mkt_source",
  "visit:utm_medium": "mkt_medium",
  "visit:utm_campaign": "mkt_campaign",
  "visit:utm_content": "mkt_content",
  "visit:utm_term": "mkt_term",
  "visit:referrer_host": "refr_urlhost",
  "visit:platform": "platform",
};
const OPS: Record<string, Op> = { is: "in", is_not: "not_in", contains: "contains", is_set: "some", is_not_set: "none" };

function columnOf(dimension: string): string | undefined {
  return dimension.startsWith(PROPERTY) ? dimension.slice(PROPERTY.length) : COLUMNS[dimension];
}

/** The search of the Live page; `null` where a filter says what single events do not know. */
export function liveSearch(filters: AnyFilter[], app: string, start: string, end: string): Record<string, string | string[]> | null {
  const where: string[] = app ? [liveText({ column: "app_id", op: "in", values: [app] })] : [];
  for (const filter of filters) {
    if (!isCondition(filter) || filter[3]) return null;
    const [operator, dimension, values = []] = filter;
    const [column, op] = [columnOf(dimension), OPS[operator]];
    if (!column || !op) return null;
    if (values.includes(null)) {
      if (op !== "in" || values.length > 1) return null;
      where.push(liveText({ column, op: "none", values: [] }));
    } else where.push(liveText({ column, op, values: (values as Exclude<Value, null>[]).map(String) }));
  }
  return { status: "good", range: absoluteText(Date.parse(start), Date.parse(end)), ...(where.length ? { where } : {}) };
}
