import { Suspense } from "react";
import { Icon } from "../../widgets/icons";
import { Failure, Skeleton } from "../../widgets/ui";
import { useDashboard } from "../parts/context";
import { useSeen } from "../parts/useSeen";
import { Waiting } from "../parts/Waiting";
import { useAnswer } from "../view/question";
import { useRight, useSource } from "../view/source";
import { withTab } from "../view/state";
import { BreakdownRows } from "./BreakdownRows";
import { PanelMenu } from "./PanelMenu";
import { metricsOf, rowsQuestion } from "./rows";
import type { PanelEntry, Tab } from "./table";
import { TabBar } from "./TabBar";

const ROWS = 10;

/** One panel: its tabs, ten rows of the chosen one, and what can be done with them. */
export function Panel({ panel }: { panel: PanelEntry }) {
  const { view, change } = useDashboard();
  const [box, seen] = useSeen<HTMLElement>();
  const source = useSource();
  const allowed = useRight(panel.scope ?? "read:aggregates");
  const tabs = panel.tabs.filter((one) => source.shows(one.dimension) && !(source.shared && one.traffic));
  if (!allowed || (!tabs.length && panel.tabs.length > 0) || (source.shared && panel.inside)) return null;
  const tab = tabs.find((one) => one.id === view.tabs[panel.id]) ?? tabs[0];
  return (
    <section ref={box} aria-label={panel.title} className="card grid min-w-0 grid-cols-1 content-start gap-3 p-4">
      <header className="flex min-h-8 items-center gap-2">
        <h2 className="shrink-0">{panel.title}</h2>
        {tabs.length > 1 && tab ? <TabBar label={`Kinds of ${panel.title.toLowerCase()}`} tabs={tabs} chosen={tab.id} onChoose={(id) => change({ tab: withTab(view.tabs, panel.id, id) })} /> : <span className="flex-1" />}
        {tab && <PanelMenu panel={panel} tab={tab} />}
      </header>
      {seen ? (
        <>
          {panel.Body && (
            <Suspense fallback={<Skeleton className="h-40" />}>
              <panel.Body panel={panel} />
            </Suspense>
          )}
          {tab && <Breakdown panel={panel} tab={tab} />}
        </>
      ) : (
        <div className="h-80" />
      )}
    </section>
  );
}

function Breakdown({ panel, tab }: { panel: PanelEntry; tab: Tab }) {
  const { scope, view, known, change } = useDashboard();
  const metrics = metricsOf(tab, view.filters);
  const answer = useAnswer(rowsQuestion(scope, tab, metrics, { pagination: { limit: ROWS }, include: { total_rows: true } }));
  if (answer.isError) return <Failure error={answer.error} retry={() => void answer.refetch()} />;
  if (answer.isPending || !known) return <Waiting what={tab.title.toLowerCase()} />;
  if (!answer.data.results.length) return <Nothing tab={tab} filtered={view.filters.length > 0} />;
  const total = answer.data.meta.total_rows ?? answer.data.results.length;
  const held = answer.isPlaceholderData && answer.data.query.dimensions !== undefined && !sameTab(answer.data.query.dimensions, tab);
  if (held) return <Waiting what={tab.title.toLowerCase()} />;
  return (
    <>
      <BreakdownRows panel={panel} tab={tab} answer={answer.data} metrics={metrics} dim={answer.isPlaceholderData} />
      {total > ROWS && (
        <button type="button" onClick={() => change({ all: `${panel.id}.${tab.id}` }, { push: true })} className="mx-auto inline-flex h-8 items-center gap-1.5 rounded-lg px-3 text-[13px] text-accent-ink hover:bg-accent-soft">
          <Icon name="search" size={14} />
          All {total.toLocaleString()} <span className="sr-only">{tab.title.toLowerCase()}</span>
        </button>
      )}
    </>
  );
}

/** Rows of another tab are not shown under this one's heading while its own are on their way. */
function sameTab(dimensions: unknown, tab: Tab): boolean {
  return Array.isArray(dimensions) && dimensions[0] === tab.dimension;
}

function Nothing({ tab, filtered }: { tab: Tab; filtered: boolean }) {
  return (
    <div className="grid min-h-40 place-content-center gap-1 px-6 text-center">
      <p className="font-medium">{filtered ? "Nothing meets the filters" : "Nothing in this period"}</p>
      <p className="max-w-sm text-[13px] text-ink-soft">{filtered ? "Remove a filter or choose a longer period." : tab.empty}</p>
    </div>
  );
}
