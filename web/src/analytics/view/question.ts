/** Questions to the analytics API, and their answers. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError, type Schemas } from "../../api/client";
import { ends, LIVE } from "./periods";
import { useSource } from "./source";
import type { AnalyticsView } from "./state";

export type Question = Schemas["AnalyticsQuestion"];
export type Answer = Schemas["AnalyticsAnswer"];
export type Row = Answer["results"][number];
export type Cell = Row["dimensions"][number];
export type Metric = Question["metrics"][number];
export type Scope = Omit<Question, "metrics">;
export type Included = NonNullable<Question["include"]>;

/** What every question of a view has in common. */
export function scopeOf(view: AnalyticsView): Scope {
  const range = ends(view.period);
  const compared = ends(view.compare);
  const comparisons: Included["comparisons"] = compared
    ? { mode: "custom", date_range: [...compared] }
    : view.compare === "year_over_year"
      ? { mode: "year_over_year", match_day_of_week: view.weekdays }
      : view.compare === "previous_period"
        ? { mode: "previous_period" }
        : undefined;
  return {
    ...(view.app ? { app: view.app } : {}),
    date_range: range ? [...range] : (view.period as Exclude<Question["date_range"], string[]>),
    ...(view.zone ? { timezone: view.zone } : {}),
    ...(view.traffic === "people" ? {} : { traffic: view.traffic }),
    filters: view.filters,
    include: { ...(view.today ? { today: true } : {}), ...(comparisons && view.period !== "all" ? { comparisons } : {}) },
  };
}

export function useScope(view: AnalyticsView): Scope {
  return useMemo(() => {
    const scope = scopeOf(view);
    return view.imports ? { ...scope, include: { ...scope.include, imports: true } } : scope;
  }, [view]);
}

export function asked(scope: Scope, more: Pick<Question, "metrics"> & Partial<Question>): Question {
  return { ...scope, ...more, include: { ...scope.include, ...more.include } };
}

/** Without what the period is compared with. */
export function alone(scope: Scope): Scope {
  return { ...scope, include: { ...scope.include, comparisons: undefined } };
}

export function useAnswer(question: Question, options: { enabled?: boolean; keep?: boolean } = {}) {
  const source = useSource();
  return useQuery({
    queryKey: ["analytics", "query", source.key, question],
    queryFn: ({ signal }) => source.query(question, signal),
    enabled: options.enabled ?? true,
    staleTime: 60_000,
    // figures that are a minute old are not worth asking for again because a window came to the front
    refetchOnWindowFocus: false,
    refetchInterval: question.date_range === LIVE ? 10_000 : false,
    placeholderData: options.keep === false ? undefined : keepPreviousData,
  });
}

/** The metric that a refusal is about: `metrics[2]: …`. */
export function refusedMetric(error: unknown): { at: number; reason: string } | null {
  if (!(error instanceof ApiError) || error.status !== 422) return null;
  const found = /^metrics\[(\d+)\]: (.*)$/s.exec(error.message);
  return found ? { at: Number(found[1]), reason: found[2] ?? "" } : null;
}

/** Neither this page nor any panel of it can be answered: the store, or Snowgauge itself, does not answer. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 502 || error.status === 503 || error.status === 504);
}

/** Hand a file to the browser, which keeps it. */
export function keep(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // the browser reads it after the click
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
