import { createContext, useContext } from "react";
import type { Patch } from "../../view/useView";
import type { Known } from "../view/definitions";
import type { AnyFilter } from "../view/filters";
import type { Answer, Scope } from "../view/question";
import type { AnalyticsView, Change } from "../view/state";

export interface Dashboard {
  view: AnalyticsView;
  scope: Scope;
  known: Known | undefined;
  change: Change;
  filter: (filters: AnyFilter[], more?: Patch) => void;
  /** What the figures on top know of the period; everything below is of the same one. */
  meta: Answer["meta"] | undefined;
}

const Context = createContext<Dashboard | null>(null);
export const DashboardProvider = Context.Provider;

export function useDashboard(): Dashboard {
  const found = useContext(Context);
  if (!found) throw new Error("a panel stands outside of the analytics page");
  return found;
}
