/** The question that the builder describes, and whether it is complete. */
import { type Scope, scopeOf } from "../analytics/view/question";
import type { Asked, Reports } from "../reports/kinds";
import { EMPTY, type ExploreView, type Measure, type Step } from "./state";

type Happening = Reports["funnel"]["question"]["steps"][number];
type Shared = Pick<Scope, "app" | "date_range" | "timezone" | "traffic" | "filters" | "include">;

function happening(step: Step): Happening {
  return { kind: step.kind, ...(step.name ? { name: step.name } : {}), ...(step.filters.length ? { filters: step.filters } : {}), ...(step.label ? { label: step.label } : {}) };
}

const MEASURES: Record<Measure, true> = { count: true, people: true, per_person: true, sum: true, mean: true, min: true, max: true, median: true, p75: true, p90: true, p95: true, p99: true, sum_per_person: true };

function measureOf(name: string): Measure {
  return Object.keys(MEASURES).find((known): known is Measure => known === name) ?? "count";
}

/** One of the words that the API knows, or nothing: then the usual one holds. */
function word<T extends string>(given: string, ...known: T[]): T | undefined {
  return known.find((each) => each === given);
}

function count(given: string, least: number, most: number): number | undefined {
  const found = Number(given);
  return given !== "" && Number.isInteger(found) && found >= least && found <= most ? found : undefined;
}

export function sharedOf(view: ExploreView): Shared {
  return scopeOf(view.analytics);
}

/** The same period without what it is compared with: for reports that compare nothing. */
function alone(shared: Shared): Shared {
  return { ...shared, include: { ...shared.include, comparisons: undefined } };
}

export const COMPARED = ["trends", "funnel"];
export const DIVIDED = ["trends", "funnel", "retention"];

/** `null` where something is missing, which `missing` names. */
export function askedOf(view: ExploreView): Asked | null {
  if (missing(view)) return null;
  const shared = sharedOf(view);
  const by = view.breakdown ? { breakdown: view.breakdown } : {};
  const { option, steps } = view;
  const first = steps[0];
  const start = happening(first ?? EMPTY);
  const goal = first?.kind === "goal" ? start : { kind: "goal" as const };
  const interval = word(option("interval"), "day", "week", "month");
  switch (view.tab) {
    case "trends": {
      const fine = word(option("interval"), "minute", "hour", "day", "week", "month");
      return {
        kind: "trends",
        question: {
          ...shared,
          ...by,
          series: steps.map((step) => ({ ...happening(step), measure: measureOf(step.measure), ...(step.property ? { property: step.property } : {}) })),
          ...(view.formulas.length ? { formulas: view.formulas.map((formula) => ({ formula })) } : {}),
          ...(fine ? { interval: fine } : {}),
          limit: count(option("limit"), 1, 25) ?? 5,
        },
      };
    }
    case "funnel":
      return {
        kind: "funnel",
        question: { ...shared, ...by, steps: steps.map(happening), order: word(option("order"), "strict", "any") ?? "ordered", unit: word(option("unit"), "visit") ?? "person", window_seconds: count(option("window"), 60, 7_776_000) ?? 604_800, limit: count(option("limit"), 1, 50) ?? 10 },
      };
    case "retention":
      return {
        kind: "retention",
        question: { ...alone(shared), ...by, start, ...(view.back ? { back: happening(view.back) } : {}), interval: interval ?? "week", mode: word(option("mode"), "recurring") ?? "first", returning: word(option("returning"), "on_or_after") ?? "on", limit: count(option("limit"), 1, 20) ?? 10 },
      };
    case "lifecycle":
      return { kind: "lifecycle", question: { ...alone(shared), event: start, interval: interval ?? "week" } };
    case "stickiness":
      return { kind: "stickiness", question: { ...alone(shared), event: start, interval: interval ?? "day" } };
    case "attribution":
      return {
        kind: "attribution",
        question: {
          ...alone(shared),
          goal,
          by: word(option("touch"), "source", "medium", "campaign", "landing_page", "content_group") ?? "channel",
          model: word(option("model"), "first", "linear", "position", "decay") ?? "last",
          lookback_days: count(option("lookback"), 1, 365) ?? 30,
          half_life_days: 7,
          direct: word(option("direct"), "count") ?? "ignore",
          limit: count(option("limit"), 1, 100) ?? 20,
        },
      };
    case "journeys": {
      const kinds = option("kinds") ? option("kinds").split("~").flatMap((kind) => word(kind, "page", "event", "goal") ?? []) : [];
      return {
        kind: "journeys",
        question: {
          ...alone(shared),
          ...(first ? { anchor: start } : {}),
          ...(kinds.length ? { kinds: [...kinds, ...(first && !kinds.includes(first.kind) ? [first.kind] : [])] } : {}),
          direction: word(option("direction"), "backwards") ?? "forwards",
          unit: word(option("unit"), "person") ?? "visit",
          group: word(option("group"), "content_group", "folder") ?? "none",
          steps: count(option("length"), 2, 10) ?? 4,
          limit: count(option("limit"), 1, 50) ?? 8,
        },
      };
    }
  }
}

/** What is still to be chosen, in words; empty: nothing. */
export function missing(view: ExploreView): string {
  if (view.tab === "funnel" && view.steps.length < 2) return "A funnel needs at least two steps.";
  if (view.tab === "trends" && view.steps.some((step) => needsProperty(step.measure) && !step.property)) return "Choose the property that a series measures.";
  return "";
}

/** Counts of events and people need no property, all other measures one. */
export function needsProperty(measure: string): boolean {
  return !["", "count", "people", "per_person"].includes(measure);
}

export function stepTitle(step: Step): string {
  return step.label || step.name || `any ${step.kind}`;
}
