/** The pages of the menu: one table for navigation, palette and keys. */
import type { IconName } from "../widgets/icons";

export interface PageEntry {
  path: string;
  title: string;
  /** Where there is little room. */
  short?: string;
  icon: IconName;
  key: string;
  scope: string;
  words: string;
}

export const PAGES: PageEntry[] = [
  { path: "/start", title: "First run", icon: "start", key: "h", scope: "read:aggregates", words: "home install snippet tracker" },
  { path: "/live", title: "Live", icon: "live", key: "l", scope: "read:events", words: "events stream now" },
  { path: "/failed", title: "Failed events", short: "Failed", icon: "alert", key: "f", scope: "read:events", words: "errors bad rows recover causes" },
  { path: "/xray", title: "Event X-ray", short: "X-ray", icon: "xray", key: "x", scope: "read:events", words: "trace debug request id" },
  { path: "/sql", title: "SQL", icon: "sql", key: "s", scope: "query:sql", words: "query tables chart export" },
  { path: "/schemas", title: "Schemas", icon: "schema", key: "c", scope: "read:schemas", words: "iglu catalogue registry publish" },
  { path: "/state", title: "Health", icon: "health", key: "e", scope: "read:health", words: "doctor checks capacity disk lag" },
  { path: "/access", title: "Access", icon: "people", key: "a", scope: "admin", words: "people keys roles audit users" },
];
