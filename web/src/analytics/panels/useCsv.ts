import { useMutation } from "@tanstack/react-query";
import { useDashboard } from "../parts/context";
import { keep, type Metric } from "../view/question";
import { useSource } from "../view/source";
import { fileQuestion } from "./rows";
import type { PanelEntry, Tab } from "./table";

/** All rows of a tab as a file that the browser keeps. */
export function useCsv(panel: PanelEntry, tab: Tab, metrics: Metric[]) {
  const { scope } = useDashboard();
  const source = useSource();
  return useMutation({
    mutationFn: () => source.file(fileQuestion(scope, tab, metrics)),
    onSuccess: (csv) => keep(csv, `${panel.id}-${tab.id}.csv`),
  });
}
