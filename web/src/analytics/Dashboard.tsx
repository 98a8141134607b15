/** The page of figures, as the console and share links show it. */
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { ApplicationSwitch, Overview, useApplications } from "./controls/Applications";
import { FilterChips, FilterDialog } from "./controls/Filters";
import { Options } from "./controls/Options";
import { ComparisonPicker, PeriodPicker } from "./controls/PeriodPicker";
import { AllDialog } from "./panels/AllDialog";
import { Panel } from "./panels/Panel";
import { PANELS } from "./panels/table";
import { ChartCard } from "./parts/ChartCard";
import { DashboardProvider } from "./parts/context";
import { LiveBadge, LiveBoard } from "./parts/Live";
import { Notices } from "./parts/Notices";
import { TopFigures, useFigures } from "./parts/TopFigures";
import { useDefinitions } from "./view/definitions";
import { LIVE, PERIODS, stepped } from "./view/periods";
import { type Metric, useScope } from "./view/question";
import { useAnalyticsView } from "./view/state";
import { useKeys } from "../shell/keys";
import { PageFrame } from "../widgets/Page";
import { Button, Failure, IconButton, Loading } from "../widgets/ui";
import { Segments } from "./controls/Segments";
import { useRight, useSource } from "./view/source";

const Goals = lazy(() => import("./controls/Goals"));
const Settings = lazy(() => import("./controls/Settings"));
const ShareLinks = lazy(() => import("./controls/ShareLinks"));

export function Dashboard({ title }: { title: string }) {
  const { view, change, filter } = useAnalyticsView();
  const scope = useScope(view);
  const { query, known } = useDefinitions();
  const live = view.period === LIVE;
  const figures = useFigures(view, scope);
  const { answer } = figures;
  const meta = answer.data?.meta;
  const apps = useApplications(scope);
  const source = useSource();
  const [mayChange, mayShare] = [useRight("admin"), useRight("write:analytics")];
  const queries = useQueryClient();
  const busy = useIsFetching({ queryKey: ["analytics"] }) > 0;
  const [editing, setEditing] = useState<{ at: number | null } | null>(null);
  const [picking, setPicking] = useState(false);
  const refresh = () => void queries.invalidateQueries({ queryKey: ["analytics"] });
  const metric = figures.metrics.find((name) => name === view.metric) ?? figures.metrics[0] ?? "visitors";
  const intervals = meta?.intervals ?? [];
  const step = (by: -1 | 1) => {
    if (!meta || live || view.period === "all" || (by === 1 && Date.parse(meta.period.end) >= Date.now())) return;
    change({ period: stepped(meta.period.start, meta.period.end, by), today: undefined }, { push: true });
  };
  useKeys({
    ...Object.fromEntries(PERIODS.flatMap((one) => (one.key ? [[one.key, () => change({ period: one.id, interval: undefined }, { push: true })]] : []))),
    v: () => change({ period: live ? undefined : LIVE, interval: undefined }, { push: true }),
    C: () => setPicking(true),
    x: () => change({ compare: view.compare ? undefined : "previous_period" }, { push: true }),
    i: () => change({ interval: intervals[(intervals.indexOf(view.interval || (intervals[0] ?? "")) + 1) % Math.max(1, intervals.length)] }),
    r: refresh,
    "/": () => setEditing({ at: null }),
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Escape: () => view.filters.length > 0 && !view.person && filter([]),
  });
  const dashboard = useMemo(() => ({ view, scope, known, change, filter, meta }), [view, scope, known, change, filter, meta]);
  return (
    <PageFrame
      wide
      title={title}
      same={!source.shared}
      controls={
        <>
          <ApplicationSwitch view={view} apps={apps} change={change} />
          <LiveBadge app={view.app} onOpen={() => change({ period: LIVE, interval: undefined }, { push: true })} />
          <Button icon="filter" onClick={() => setEditing({ at: null })}>
            Filter
          </Button>
          {!source.shared && <Segments view={view} known={known} onChange={filter} />}
          {!live && <ComparisonPicker view={view} meta={meta} change={change} />}
          <PeriodPicker view={view} meta={live ? undefined : meta} change={change} open={picking} onOpen={setPicking} />
          <IconButton name="refresh" label="Refresh" onClick={refresh} />
          <Options view={view} scope={scope} known={known} zone={meta?.period.zone} imported={Boolean(meta?.imports)} change={change} onDialog={mayChange ? (dialog) => change({ dialog }) : null} onShare={mayShare ? () => change({ dialog: "share" }) : null} />
        </>
      }
    >
      <DashboardProvider value={dashboard}>
        <FilterChips filters={view.filters} known={known} onChange={filter} onEdit={(at) => setEditing({ at })} />
        {query.isError && !figures.unreachable && <Failure error={query.error} retry={() => void query.refetch()} />}
        {live ? (
          <LiveBoard />
        ) : answer.isError && !figures.settling ? (
          <Failure error={answer.error} retry={refresh} />
        ) : (
          <>
            <Notices meta={meta} refused={figures.refused} known={known} />
            {!view.app && apps.length > 1 && <Overview scope={scope} known={known} apps={apps} />}
            <section aria-label="The period" className="card min-w-0 overflow-hidden">
              <Loading on={busy} />
              <TopFigures known={known} answer={answer.data} metrics={figures.metrics} dim={answer.isPlaceholderData} chosen={metric} onChoose={(name) => change({ metric: name === figures.metrics[0] ? undefined : name })} />
              <ChartCard view={view} scope={scope} known={known} metric={metric as Metric} intervals={intervals} change={change} />
            </section>
            <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
              {PANELS.filter((panel) => !panel.below).map((panel) => (
                <div key={panel.id} className={`grid min-w-0 grid-cols-1 gap-4 ${panel.wide ? "lg:col-span-2" : ""}`}>
                  {[panel, ...PANELS.filter((one) => one.below === panel.id)].map((one) => (
                    <Panel key={one.id} panel={one} />
                  ))}
                </div>
              ))}
            </div>
          </>
        )}
        <AllDialog />
        {editing && <FilterDialog at={editing.at} filters={view.filters} known={known} scope={scope} onChange={filter} onClose={() => setEditing(null)} />}
        <Suspense>
          {view.dialog === "goals" && mayChange && <Goals app={view.app} onClose={() => change({ dialog: undefined })} />}
          {view.dialog === "settings" && mayChange && <Settings app={view.app} onClose={() => change({ dialog: undefined })} />}
          {view.dialog === "share" && mayShare && <ShareLinks view={view} onClose={() => change({ dialog: undefined })} />}
        </Suspense>
      </DashboardProvider>
    </PageFrame>
  );
}
