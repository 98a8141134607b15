import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { Search } from "./search";

export type Patch = Record<string, string | string[] | undefined>;

/** The view's state, and a way to change parts of it. Changes replace the history entry unless told otherwise. */
export function useView(): [Search, (patch: Patch, options?: { push?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = useCallback(
    (patch: Patch, options?: { push?: boolean }) => {
      void navigate({
        to: ".",
        hash: true,
        search: (before: Search) => tidy({ ...before, ...patch }),
        replace: !options?.push,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, change];
}

function tidy(search: Search): Search {
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined && v !== "" && !(Array.isArray(v) && !v.length)));
}
