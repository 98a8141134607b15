/** What can be asked, as the API describes it, and how its values are written. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Schemas } from "../../api/client";
import { useAllApplications } from "../../shell/session";
import { compact, number } from "../../view/format";
import { columnLabel } from "../../view/columns";
import { type AnyFilter, isCondition, type Value } from "./filters";
import { useSource } from "./source";

export type MeasureDefinition = Schemas["MeasureDefinition"];
export type DimensionDefinition = Schemas["DimensionDefinition"];
export type OperatorDefinition = Schemas["OperatorDefinition"];

export const PROPERTY = "event:props:";

export interface Known {
  all: Schemas["Definitions"];
  measure: (name: string) => MeasureDefinition | undefined;
  dimension: (name: string) => DimensionDefinition | undefined;
  operator: (name: string) => OperatorDefinition | undefined;
  segments: Schemas["Segment"][];
  cohorts: Schemas["SavedCohort"][];
}

/** What a filter by cohort is, beside the dimensions of the API. */
const COHORT: DimensionDefinition = { name: "cohort", label: "Cohort", group: "People", of: "visit", kind: "text", help: "People of a cohort: see the page Cohorts.", unset: "", operators: ["is", "is_not"] };

/** The dimensions that filters offer: those of the API, and cohorts where there are any. */
export function filterable(known: Known): DimensionDefinition[] {
  return known.cohorts.length ? [...known.all.dimensions, COHORT] : known.all.dimensions;
}

export function useDefinitions() {
  const source = useSource();
  const whole = useAllApplications();
  const query = useQuery({ queryKey: ["definitions", source.key], queryFn: source.definitions, staleTime: Infinity });
  const segments = useQuery({ queryKey: ["segments", source.key], queryFn: source.segments, staleTime: 60_000 });
  // a deployment without modelled tables has none, and everything else works
  const cohorts = useQuery({ queryKey: ["cohorts", source.key], queryFn: source.cohorts, enabled: whole && !source.shared, staleTime: 60_000, retry: false });
  const known = useMemo((): Known | undefined => {
    if (!query.data) return undefined;
    const measures = new Map(query.data.measures.map((one) => [one.name, one]));
    const dimensions = new Map(query.data.dimensions.map((one) => [one.name, one]));
    const operators = new Map(query.data.operators.map((one) => [one.name, one]));
    const text = query.data.operators.filter((one) => one.kinds.includes("text")).map((one) => one.name);
    return {
      all: query.data,
      measure: (name) => measures.get(name),
      dimension: (name) => dimensions.get(name) ?? (name === COHORT.name ? COHORT : name.startsWith(PROPERTY) ? property(name, text) : undefined),
      operator: (name) => operators.get(name),
      segments: segments.data ?? [],
      cohorts: cohorts.data ?? [],
    };
  }, [query.data, segments.data, cohorts.data]);
  return { query, known };
}

function property(name: string, operators: string[]): DimensionDefinition {
  const path = name.slice(PROPERTY.length);
  return { name, label: columnLabel(path), group: "Event", of: "event", kind: "text", help: path, unset: "(not set)", operators };
}

const SHORT: Record<string, string> = {
  pageviews: "Views",
  percentage: "%",
  engaged_time: "Engaged time",
  converters: "Visitors",
  conversion_rate: "Rate",
  group_conversion_rate: "Rate",
  total_revenue: "Revenue",
  product_revenue: "Revenue",
  product_quantity: "Sold",
};

/** What a measure is called at the head of a column. */
export function columnTitle(known: Known | undefined, name: string): string {
  return SHORT[name] ?? known?.measure(name)?.label ?? name;
}

/** A length of time as people say it: `8s`, `1m 20s`, `2h 5m`. */
export function duration(value: number): string {
  const all = Math.round(value);
  if (all < 60) return `${all}s`;
  if (all < 3600) return all % 60 ? `${Math.floor(all / 60)}m ${all % 60}s` : `${all / 60}m`;
  return `${Math.floor(all / 3600)}h ${Math.floor((all % 3600) / 60)}m`;
}

/** Money in its currency; of several or unknown ones just the number. */
export function money(value: number, currency: string | undefined, short: boolean): string {
  const digits = short && Math.abs(value) >= 10_000 ? { notation: "compact" as const, maximumFractionDigits: 1 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  try {
    return new Intl.NumberFormat(undefined, currency ? { style: "currency", currency, ...digits } : digits).format(value);
  } catch {
    // a code that is none
    return `${new Intl.NumberFormat(undefined, digits).format(value)} ${currency}`;
  }
}

/** A value of a measure; `short` where there is little room. */
export function figure(measure: Pick<MeasureDefinition, "unit" | "decimals"> | undefined, value: number | null | undefined, currency?: string, short = true): string {
  if (value === null || value === undefined) return "–";
  switch (measure?.unit) {
    case "percent":
      return `${fixed(value, Math.min(measure.decimals, 1))}%`;
    case "seconds":
      return duration(value);
    case "milliseconds":
      return value < 1000 ? `${Math.round(value)} ms` : `${fixed(value / 1000, 2)} s`;
    case "money":
      return money(value, currency, short);
    case "number":
    case "score":
      return fixed(value, measure.decimals);
    default:
      return short ? compact(value) : number(value);
  }
}

function fixed(value: number, decimals: number): string {
  return new Intl.NumberFormat(undefined, { minimumFractionDigits: 0, maximumFractionDigits: decimals }).format(value);
}

/** A change in words: `+12%`, `×20`, `−3.1 points`, `new`. */
export function changeText(measure: MeasureDefinition | undefined, change: number | null, now: number | null, before: number | null): string {
  if (change === null) return !before && now ? "new" : "";
  const points = measure?.change === "points";
  // beyond tenfold a factor is shorter, and easier to grasp
  if (!points && change >= 1_000) return `×${compact(Math.round(1 + change / 100))}`;
  const size = fixed(Math.abs(change), points || Math.abs(change) < 10 ? 1 : 0);
  const sign = size === "0" ? "" : change > 0 ? "+" : "−";
  return `${sign}${size}${points ? " pt" : "%"}`;
}

/** What a value of a dimension is called. */
export function valueText(known: Known | undefined, dimension: string, value: Value): string {
  if (value === null || value === "") return known?.dimension(dimension)?.unset ?? "(not set)";
  if (dimension === "segment") return known?.segments.find((one) => one.id === value)?.name ?? String(value);
  if (dimension === "cohort") return known?.cohorts.find((one) => one.id === value)?.name ?? String(value);
  if (dimension === "visit:country") return countryName(String(value));
  return String(value);
}

let regions: Intl.DisplayNames | null = null;
/** Codes that nobody has assigned stay as they are. */
export function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  try {
    regions ??= new Intl.DisplayNames(undefined, { type: "region", fallback: "code" });
    return regions.of(code) ?? code;
  } catch {
    return code;
  }
}

/** A filter as a sentence; values beyond the second are counted. */
export function describe(known: Known | undefined, filter: AnyFilter, cut: (text: string) => string = (text) => text): string {
  if (!isCondition(filter)) {
    const parts = (Array.isArray(filter[1][0]) ? filter[1] : [filter[1]]) as AnyFilter[];
    const words = parts.map((part) => describe(known, part, cut));
    if (filter[0] === "or") return words.join(" or ");
    if (filter[0] === "and") return words.join(" and ");
    const label = known?.all.groups.find((one) => one.name === filter[0])?.label ?? filter[0];
    return `${label}: ${words.join(" and ")}`;
  }
  const [operator, dimension, values = [], options] = filter;
  const label = dimension === "segment" ? "Segment" : (known?.dimension(dimension)?.label ?? dimension);
  const shown = values.slice(0, 2).map((value) => cut(valueText(known, dimension, value)));
  const rest = values.length > 2 ? ` or ${values.length - 2} more` : "";
  const verb = (known?.operator(operator)?.label ?? operator).replace(/^(matches|does not match),.*$/, "$1");
  return `${label} ${verb}${shown.length ? ` ${shown.join(" or ")}${rest}` : ""}${options?.case_sensitive === false ? " (any case)" : ""}`;
}
