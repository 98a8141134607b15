/**
 * The state of Explore, all of it in the address. An event is `kind,name`; what that notation cannot say (filters,
 * a measure, a name of its own) is written as JSON.
 */
import { useCallback, useMemo } from "react";
import type { Schemas } from "../api/client";
import { type AnyFilter, filterText, parseFilters } from "../analytics/view/filters";
import { type AnalyticsView, readView } from "../analytics/view/state";
import { many, one, type Search } from "../view/search";
import { type Patch, useView } from "../view/useView";

export type EventKind = "page" | "event" | "goal";
export type Measure = NonNullable<Schemas["TrendsQuestion"]["series"][number]["measure"]>;
/** One event of a report, as it is edited. Without a name: any of its kind. */
export interface Step {
  kind: EventKind;
  name: string;
  filters: AnyFilter[];
  label: string;
  measure: string;
  property: string;
}

export const TABS = ["trends", "funnel", "retention", "lifecycle", "stickiness", "journeys", "attribution"] as const;
export type Tab = (typeof TABS)[number];

export interface ExploreView {
  analytics: AnalyticsView;
  tab: Tab;
  steps: Step[];
  /** What counts as coming back, of retention; `null`: the start event. */
  back: Step | null;
  /** A choice of a report, by the name that the API has for it; empty: the usual one. */
  option: (name: string) => string;
  formulas: string[];
  breakdown: string;
  /** Who dropped off: a step from 1, and whether those who got further belong to it. */
  people: { step: number; reached: boolean } | null;
  person: string;
}

export const EMPTY: Step = { kind: "page", name: "", filters: [], label: "", measure: "", property: "" };

export function stepText(step: Step): string {
  const more = { ...(step.filters.length ? { f: step.filters.map(filterText) } : {}), ...(step.label ? { label: step.label } : {}), ...(step.measure ? { measure: step.measure } : {}), ...(step.property ? { property: step.property } : {}) };
  return Object.keys(more).length ? JSON.stringify({ kind: step.kind, name: step.name, ...more }) : `${step.kind},${step.name}`;
}

const KINDS: EventKind[] = ["page", "event", "goal"];

export function kindOf(name: string): EventKind {
  return KINDS.find((kind) => kind === name) ?? "page";
}

export function parseStep(text: string): Step | null {
  if (!text.startsWith("{")) {
    const comma = text.indexOf(",");
    const kind = KINDS.find((known) => known === (comma === -1 ? text : text.slice(0, comma)));
    return kind ? { ...EMPTY, kind, name: comma === -1 ? "" : text.slice(comma + 1) } : null;
  }
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== "object" || found === null) return null;
    const fields = new Map<string, unknown>(Object.entries(found));
    const said = (name: string) => {
      const value = fields.get(name);
      return typeof value === "string" ? value : "";
    };
    const kind = KINDS.find((known) => known === fields.get("kind"));
    const filters = fields.get("f");
    return kind ? { kind, name: said("name"), filters: Array.isArray(filters) ? parseFilters(filters.filter((each): each is string => typeof each === "string")) : [], label: said("label"), measure: said("measure"), property: said("property") } : null;
  } catch {
    return null;
  }
}

export function readExplore(search: Search): ExploreView {
  const tab = TABS.find((name) => name === one(search.report)) ?? "trends";
  const steps = many(search.e).flatMap((text) => parseStep(text) ?? []);
  const people = /^(\d+)(\+?)$/.exec(one(search.people));
  return {
    analytics: readView(search),
    tab,
    steps: steps.length ? steps : usual(tab),
    back: one(search.back) ? parseStep(one(search.back)) : null,
    option: (name) => one(search[name]),
    formulas: many(search.formula),
    breakdown: one(search.by),
    people: people ? { step: Number(people[1]), reached: people[2] === "+" } : null,
    person: one(search.person),
  };
}

/** What a report begins with: any page, seen. */
function usual(tab: Tab): Step[] {
  return tab === "journeys" ? [] : tab === "attribution" ? [{ ...EMPTY, kind: "goal" }] : tab === "funnel" ? [EMPTY, { ...EMPTY, kind: "goal" }] : [EMPTY];
}

/** Fields of the address that belong to one report, not to the period and its filters. */
const OWN = ["e", "back", "formula", "by", "people", "order", "unit", "window", "mode", "returning", "direction", "group", "kinds", "length", "limit", "show", "interval", "model", "lookback", "touch", "direct", "person"];

export type Steer = (patch: Patch, options?: { push?: boolean }) => void;

export function useExplore(): { view: ExploreView; search: Search; change: Steer; put: (steps: Step[]) => void; open: (tab: Tab) => void } {
  const [search, change] = useView();
  const view = useMemo(() => readExplore(search), [search]);
  const put = useCallback((steps: Step[]) => change({ e: steps.map(stepText), people: undefined }), [change]);
  // events and a breakdown are kept where the other report has them, too; choices of the one mean nothing to the other
  const open = useCallback((tab: Tab) => change({ ...Object.fromEntries(OWN.map((name) => [name, undefined])), e: search.e, by: search.by, report: tab === "trends" ? undefined : tab }, { push: true }), [change, search.e, search.by]);
  return { view, search, change, put, open };
}
