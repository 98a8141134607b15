/** The state of the Live page, all of it in the address; only the choice of columns is remembered beside it. */
import { useEffect, useRef } from "react";
import { isRange } from "../../view/ranges";
import { many, one } from "../../view/search";
import { type Patch, useView } from "../../view/useView";

export const DEFAULT_COLUMNS = ["app_id", "event_name", "page_urlpath", "v_tracker"];

export interface LiveView {
  status: string;
  range: string;
  where: string[];
  search: string;
  columns: string[];
  pins: string[];
  open: string;
  paused: boolean;
  oldest: boolean;
}

export type Change = (patch: Patch) => void;

export function useLiveView() {
  const [search, change] = useView();
  const cols = one(search.cols);
  const range = one(search.range, "all");
  const view: LiveView = {
    status: one(search.status, "all"),
    range: isRange(range) ? range : "all",
    where: many(search.where),
    search: one(search.search),
    columns: cols ? cols.split(",").filter(Boolean) : DEFAULT_COLUMNS,
    pins: one(search.pins).split(",").filter(Boolean),
    open: one(search.open),
    paused: one(search.paused) === "1",
    oldest: one(search.order) === "oldest",
  };
  // who opens a link that brings its own columns keeps those chosen before
  const visiting = useRef(cols !== "");
  useEffect(() => {
    if (cols) return;
    visiting.current = false;
    const kept = remembered();
    if (kept) change({ cols: kept });
  }, [cols, change]);
  const setColumns = (columns: string[]) => {
    const text = columns.join(",") === DEFAULT_COLUMNS.join(",") ? "" : columns.join(",");
    if (!visiting.current) remember(text);
    change({ cols: text, pins: view.pins.filter((pin) => columns.includes(pin)).join(",") });
  };
  return { view, search, change, setColumns };
}

const KEPT = "live-columns";
function remembered(): string {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}
function remember(columns: string): void {
  try {
    if (columns) localStorage.setItem(KEPT, columns);
    else localStorage.removeItem(KEPT);
  } catch {
    // remembered for this page only then
  }
}
