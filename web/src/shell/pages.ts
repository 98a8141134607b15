/** The pages: one table for routes, navigation, palette and keys. */
import type { ComponentType } from "react";
import type { IconName } from "../widgets/icons";
import type { Me } from "./session";

export interface PageEntry {
  path: `/${string}`;
  /** Its code, loaded when it is first opened. */
  load: () => Promise<{ Page: ComponentType }>;
  title: string;
  /** Where there is little room. */
  short?: string;
  icon: IconName;
  key: string;
  scope: string;
  words: string;
  /** It is about every application, so those who see some only cannot open it. */
  everything?: boolean;
  /** Whether viewers, who look at figures only, have it in their menu. */
  viewers?: boolean;
}

export const PAGES: PageEntry[] = [
  { path: "/analytics", load: () => import("../pages/Analytics"), title: "Analytics", icon: "chart", key: "w", scope: "read:aggregates", viewers: true, words: "web visitors visits pages sources campaigns goals" },
  { path: "/explore", load: () => import("../pages/Explore"), title: "Explore", icon: "explore", key: "o", scope: "read:aggregates", viewers: true, words: "trends funnel retention lifecycle stickiness journeys attribution reports" },
  { path: "/dashboards", load: () => import("../pages/Dashboards"), title: "Dashboards", short: "Boards", icon: "board", key: "d", scope: "read:aggregates", viewers: true, words: "tiles saved reports overview share link mail" },
  { path: "/cohorts", load: () => import("../pages/Cohorts"), title: "Cohorts", icon: "people", key: "g", scope: "read:aggregates", everything: true, viewers: true, words: "people lists groups rule members filter csv" },
  { path: "/live", load: () => import("../pages/Live"), title: "Live", icon: "live", key: "l", scope: "read:events", words: "events stream now" },
  { path: "/failed", load: () => import("../pages/Failed"), title: "Failed events", short: "Failed", icon: "alert", key: "f", scope: "read:events", everything: true, words: "errors bad rows recover causes" },
  { path: "/xray", load: () => import("../pages/Xray"), title: "Event X-ray", short: "X-ray", icon: "xray", key: "x", scope: "read:events", everything: true, words: "trace debug request id" },
  { path: "/sql", load: () => import("../pages/Sql"), title: "SQL", icon: "sql", key: "s", scope: "query:sql", words: "query tables chart export" },
  { path: "/schemas", load: () => import("../pages/Schemas"), title: "Schemas", icon: "schema", key: "c", scope: "read:schemas", words: "iglu catalogue registry publish" },
  { path: "/plan", load: () => import("../pages/Plan"), title: "Tracking plan", short: "Plan", icon: "check", key: "t", scope: "read:aggregates", everything: true, words: "catalogue events entities properties drift owner description" },
  { path: "/alerts", load: () => import("../pages/Alerts"), title: "Alerts", icon: "bell", key: "n", scope: "read:aggregates", everything: true, words: "notify channels slack webhook mail bell firing" },
  { path: "/state", load: () => import("../pages/Health"), title: "Health", icon: "health", key: "e", scope: "read:health", words: "doctor checks capacity disk lag" },
  { path: "/deployments", load: () => import("../pages/Deployments"), title: "Deployments", icon: "columns", key: "p", scope: "read:health", words: "other deployments agent health version capacity" },
  { path: "/access", load: () => import("../pages/Access"), title: "Access", icon: "people", key: "a", scope: "admin", words: "people keys roles audit users" },
  { path: "/start", load: () => import("../pages/Start"), title: "First run", icon: "start", key: "h", scope: "read:aggregates", everything: true, words: "home install snippet tracker" },
];

/** May someone open it? */
export function mayOpen(page: PageEntry, me: Me): boolean {
  return (me.scopes?.includes(page.scope) ?? false) && !(page.everything && me.apps);
}
