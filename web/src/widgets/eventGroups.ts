/** The columns of an event in the order in which people ask: what, when, who, where, with what. */

export type GroupName = "What" | "When" | "Who" | "Where" | "Device" | "More";
export const GROUPS: GroupName[] = ["What", "When", "Who", "Where", "Device", "More"];

const WHAT = /^(event|app_id|platform|se_|tr_|ti_|txn_id|pp_|failure_type|cause|schema|status|attempts|v_tracker|tracker|name_tracker)/;
const WHO = /^(user_|domain_user|domain_session|network_userid|refr_domain_userid)/;
const WHERE = /^(page_|refr_|geo_|mkt_|ip_)/;
const DEVICE = /^(br_|os_|dvce_|doc_|useragent)/;

export function groupOf(column: string): GroupName {
  if (column.endsWith("_tstamp") || column.endsWith("_at")) return "When";
  if (WHO.test(column)) return "Who";
  if (WHAT.test(column)) return "What";
  if (WHERE.test(column)) return "Where";
  return DEVICE.test(column) ? "Device" : "More";
}
