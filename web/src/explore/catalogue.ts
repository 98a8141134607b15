/** What can be chosen: kinds, events, properties; all of it asked of the API. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { type DimensionDefinition, type Known, PROPERTY } from "../analytics/view/definitions";
import type { Scope } from "../analytics/view/question";
import { useSource } from "../analytics/view/source";
import { api, ask, type Schemas } from "../api/client";

export type ReportDefinitions = Schemas["ReportDefinitions"];
export type KindDefinition = ReportDefinitions["kinds"][number];

export function useReportDefinitions() {
  return useQuery({ queryKey: ["report definitions"], queryFn: () => ask(api.GET("/api/v1/analytics/reports/definitions")), staleTime: Infinity });
}

/** Only the dimensions that one kind of event has. */
export function knownOf(known: Known, kind: KindDefinition | undefined): Known {
  return kind ? { ...known, all: { ...known.all, dimensions: known.all.dimensions.filter((one) => kind.breakdowns.includes(one.name)) } } : known;
}

/** Names that occur in the period, most frequent first. */
export function useNames(dimension: string, search: string, scope: Scope, enabled: boolean) {
  const source = useSource();
  const slowly = useLater(search);
  const { include, filters: _, ...rest } = scope;
  const question = JSON.stringify({ ...rest, include: { today: include?.today ?? false } });
  return useQuery({
    queryKey: ["analytics", "values", source.key, dimension, slowly, question],
    queryFn: ({ signal }) => source.values(dimension, slowly, question, signal),
    enabled: enabled && dimension !== "",
    staleTime: 60_000,
    placeholderData: (before) => before,
  });
}

function useLater(text: string): string {
  const [later, setLater] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setLater(text), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return later;
}

export interface Carried {
  label: string;
  properties: { name: string; label: string; number: boolean }[];
}

/** Properties of self-describing events and entities, by what carries them. */
export function useProperties(): Carried[] {
  const carriers = useQuery({ queryKey: ["columns", "nested", "30d"], queryFn: () => ask(api.GET("/api/v1/columns/nested", { params: { query: { range: "30d" } } })), staleTime: 5 * 60_000 });
  return useMemo(
    () =>
      (carriers.data ?? [])
        .map((carrier) => ({
          label: `${carrier.schema} (${carrier.kind}) · ${carrier.vendor}`,
          properties: carrier.columns.filter((column) => column.filterable && column.type !== "version").map((column) => ({ name: `${PROPERTY}${column.name}`, label: column.label, number: column.type === "number" || column.type === "integer" })),
        }))
        .filter((carrier) => carrier.properties.length),
    [carriers.data],
  );
}

/** Dimensions by their group, in the API's order. */
export function grouped(dimensions: DimensionDefinition[]): [string, DimensionDefinition[]][] {
  const found = new Map<string, DimensionDefinition[]>();
  for (const one of dimensions) found.set(one.group, [...(found.get(one.group) ?? []), one]);
  return [...found];
}
