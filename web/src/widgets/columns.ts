import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../api/client";

/** The columns that every event has, and those that only failures have. */
export function useColumns() {
  return useQuery({ queryKey: ["columns"], queryFn: () => ask(api.GET("/api/v1/columns")), staleTime: Infinity });
}

/** Properties of the schemas that events of the range carry; over all time those of a month will do. */
export function useNestedColumns(range: string, enabled = true) {
  const asked = range === "all" ? "30d" : range;
  return useQuery({ queryKey: ["columns", "nested", asked], queryFn: () => ask(api.GET("/api/v1/columns/nested", { params: { query: { range: asked } } })), staleTime: 5 * 60_000, enabled });
}
