/** The state of the analytics page, all of it in the address, so that a link shows the same. */
import { useCallback, useMemo } from "react";
import { many, one, type Search } from "../../view/search";
import { type Patch, useView } from "../../view/useView";
import { type AnyFilter, filterText, parseFilters } from "./filters";
import { ends, isPeriod, USUAL_PERIOD } from "./periods";

export type Traffic = "people" | "bots" | "internal" | "all";
const TRAFFIC: Traffic[] = ["people", "bots", "internal", "all"];

export interface AnalyticsView {
  /** Empty: all applications. */
  app: string;
  period: string;
  /** Whether the last n days include today. */
  today: boolean;
  /** Empty, `previous_period`, `year_over_year`, or two dates. */
  compare: string;
  /** Whether last year's period begins on the same day of the week. */
  weekdays: boolean;
  zone: string;
  /** Whether days that another product left behind are shown beside one's own. */
  imports: boolean;
  traffic: Traffic;
  filters: AnyFilter[];
  interval: string;
  metric: string;
  /** The tab that each panel shows. */
  tabs: Record<string, string>;
  /** The tab whose rows are all shown. */
  all: string;
  person: string;
  property: string;
  dialog: string;
}

export type Change = (patch: Patch, options?: { push?: boolean }) => void;

export function readView(search: Search): AnalyticsView {
  const period = one(search.period, USUAL_PERIOD);
  const compare = one(search.compare);
  const traffic = TRAFFIC.find((name) => name === one(search.traffic)) ?? "people";
  return {
    app: one(search.app),
    period: isPeriod(period) ? period : USUAL_PERIOD,
    today: one(search.today) === "1",
    compare: ["previous_period", "year_over_year"].includes(compare) || ends(compare) ? compare : "",
    weekdays: one(search.weekdays) !== "0",
    zone: one(search.zone),
    imports: one(search.imports) !== "0",
    traffic,
    filters: parseFilters(many(search.f)),
    interval: one(search.interval),
    metric: one(search.metric),
    tabs: Object.fromEntries(many(search.tab).map((text) => [text.slice(0, text.indexOf(".")), text.slice(text.indexOf(".") + 1)])),
    all: one(search.all),
    person: one(search.person),
    property: one(search.property),
    dialog: one(search.dialog),
  };
}

export function filterTexts(filters: AnyFilter[]): string[] {
  return filters.map(filterText);
}

/** Tabs in the address, with one changed. */
export function withTab(tabs: Record<string, string>, panel: string, tab: string): string[] {
  return Object.entries({ ...tabs, [panel]: tab }).map(([name, chosen]) => `${name}.${chosen}`);
}

export function useAnalyticsView(): { view: AnalyticsView; search: Search; change: Change; filter: (filters: AnyFilter[], more?: Patch) => void } {
  const [search, change] = useView();
  const view = useMemo(() => readView(search), [search]);
  const filter = useCallback((filters: AnyFilter[], more?: Patch) => change({ f: filterTexts(filters), ...more }, { push: true }), [change]);
  return { view, search, change, filter };
}
