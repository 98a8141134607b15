/** The period and filters of a dashboard: as it is kept, and as the reader has changed it, in the address. */
import { useCallback, useMemo } from "react";
import { parseFilters, type AnyFilter } from "../analytics/view/filters";
import { USUAL_PERIOD } from "../analytics/view/periods";
import { scopeOf, type Scope } from "../analytics/view/question";
import { type AnalyticsView, type Change, filterTexts, readView } from "../analytics/view/state";
import type { Search } from "../view/search";
import { type Patch, useView } from "../view/useView";

export type KeptScope = Record<string, unknown>;

/** The address that says what a kept scope says. */
export function addressOf(scope: KeptScope): Patch {
  const range = scope.date_range;
  const included = object(scope.include);
  const compared = object(included.comparisons);
  const dates = compared.date_range;
  const mode = typeof compared.mode === "string" ? compared.mode : undefined;
  return {
    app: typeof scope.app === "string" ? scope.app : undefined,
    period: Array.isArray(range) ? range.join("~") : typeof range === "string" ? range : USUAL_PERIOD,
    today: included.today === true ? "1" : undefined,
    compare: mode === "custom" && Array.isArray(dates) ? dates.join("~") : mode,
    weekdays: compared.match_day_of_week === false ? "0" : undefined,
    zone: typeof scope.timezone === "string" ? scope.timezone : undefined,
    traffic: typeof scope.traffic === "string" ? scope.traffic : undefined,
    f: Array.isArray(scope.filters) ? filterTexts(parseFilters(scope.filters.map((one) => JSON.stringify(one)))) : undefined,
  };
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

const OWN = ["app", "period", "today", "compare", "weekdays", "zone", "traffic", "f"] as const;

/** What a dashboard shows: its own scope until the address names another one. `changed`: it does. */
export function useBoardScope(kept: KeptScope): { view: AnalyticsView; scope: Scope; changed: boolean; change: Change; filter: (filters: AnyFilter[]) => void; reset: () => void } {
  const [search, set] = useView();
  const changed = OWN.some((name) => search[name] !== undefined);
  const shown = useMemo((): Search => (changed ? search : { ...search, ...addressOf(kept) }), [changed, search, kept]);
  const view = useMemo(() => readView(shown), [shown]);
  const scope = useMemo(() => scopeOf(view), [view]);
  const change = useCallback<Change>(
    (patch, options) => {
      const now = Object.fromEntries(OWN.map((name) => [name, shown[name]]));
      // a period always stands in the address of what was changed, so that an empty one is not the dashboard's own
      set({ ...now, period: view.period, ...patch }, options);
    },
    [shown, set, view.period],
  );
  const filter = useCallback((filters: AnyFilter[]) => change({ f: filterTexts(filters) }, { push: true }), [change]);
  const reset = useCallback(() => set(Object.fromEntries(OWN.map((name) => [name, undefined]))), [set]);
  return { view, scope, changed, change, filter, reset };
}
