/** Rows of a panel's tab: what is asked, and what a row is called. */
import { conditionsOf, type AnyFilter, type Value } from "../view/filters";
import { type Known, valueText } from "../view/definitions";
import { alone, asked, type Metric, type Question, type Row, type Scope } from "../view/question";
import type { Source } from "../view/source";
import type { AnalyticsView } from "../view/state";
import { PANELS, type Tab } from "./table";

/** With a filter by goals, rows say how many reached them. */
export function metricsOf(tab: Tab, filters: AnyFilter[]): Metric[] {
  const goals = filters.flatMap(conditionsOf).some((one) => one[1] === "event:goal" || one[1] === "event:currency");
  return goals && tab.dimension.startsWith("visit:") ? ["converters", "group_conversion_rate"] : tab.metrics;
}

export function rowsQuestion(scope: Scope, tab: Tab, metrics: Metric[], more: Partial<Question> = {}): Question {
  const filters = [...(scope.filters ?? []), ...(tab.within ?? []), ...(more.filters ?? [])];
  return asked(scope, {
    metrics,
    dimensions: [tab.dimension, ...(tab.beside ?? []).filter((name) => name !== tab.dimension)],
    ...(tab.traffic ? { traffic: tab.traffic } : {}),
    ...more,
    filters,
    include: { ...more.include, coverage: false },
  });
}

/** All rows as a file, in the order that is shown and without a limit. */
export function fileQuestion(scope: Scope, tab: Tab, metrics: Metric[]): Question {
  return { ...rowsQuestion(alone(scope), tab, metrics), include: { ...scope.include, comparisons: undefined } };
}

/** The file of each tab of each panel that the source shows. */
export function filesOf(scope: Scope, view: AnalyticsView, source: Source): { name: string; question: Question }[] {
  const panels = PANELS.filter((panel) => !(source.shared && panel.inside));
  return panels.flatMap((panel) =>
    panel.tabs
      .filter((tab) => source.shows(tab.dimension) && !(source.shared && tab.traffic))
      .map((tab) => ({ name: `${panel.id}-${tab.id}`, question: fileQuestion(scope, tab, [...metricsOf(tab, view.filters), ...(tab.more ?? [])]) })),
  );
}

export interface Named {
  value: Value;
  text: string;
  /** Stands before it, such as a country's code. */
  mark: string;
}

export function nameOf(known: Known | undefined, tab: Tab, row: Row): Named {
  const value = row.dimensions[0] ?? null;
  const names = [tab.dimension, ...(tab.beside ?? []).filter((name) => name !== tab.dimension)];
  const of = (name: string) => row.dimensions[names.indexOf(name)] ?? null;
  const called = tab.beside?.[0];
  const own = called ? of(called) : value;
  const country = tab.dimension === "visit:country" ? value : names.includes("visit:country") ? of("visit:country") : null;
  return { value, text: own === null && value !== null ? String(value) : valueText(known, called ?? tab.dimension, own), mark: country === null ? "" : String(country) };
}
