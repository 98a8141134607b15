/** Questions about what people do over time: one page, a tab for each kind of report. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApplicationSwitch, useApplications } from "../analytics/controls/Applications";
import { FilterChips, FilterDialog } from "../analytics/controls/Filters";
import { ComparisonPicker, PeriodPicker } from "../analytics/controls/PeriodPicker";
import { Person } from "../analytics/panels/Person";
import { Waiting } from "../analytics/parts/Waiting";
import { useDefinitions } from "../analytics/view/definitions";
import { type AnyFilter, filterText } from "../analytics/view/filters";
import { scopeOf } from "../analytics/view/question";
import { Builder } from "../explore/Builder";
import { useReportDefinitions } from "../explore/catalogue";
import { People } from "../explore/People";
import { askedOf, COMPARED, missing } from "../explore/question";
import { Result } from "../explore/Result";
import { Shows } from "../explore/Shows";
import { TABS, type Tab, useExplore } from "../explore/state";
import { askReport, TITLES } from "../reports/kinds";
import { useKeys } from "../shell/keys";
import { useMay } from "../shell/session";
import { PageFrame } from "../widgets/Page";
import { Button, Failure, IconButton } from "../widgets/ui";

export function Page() {
  const { view, change, put, open } = useExplore();
  const scope = useMemo(() => scopeOf(view.analytics), [view.analytics]);
  const { query: definitions, known } = useDefinitions();
  const choices = useReportDefinitions();
  const apps = useApplications(scope);
  const mayPersons = useMay("read:persons");
  const queries = useQueryClient();
  const [editing, setEditing] = useState<{ at: number | null } | null>(null);
  const [picking, setPicking] = useState(false);
  const asked = useMemo(() => askedOf(view), [view]);
  const queryKey = ["analytics", "report", asked];
  const report = useQuery({
    queryKey,
    queryFn: ({ signal }) => (asked ? askReport(asked, signal) : Promise.reject(new Error("Nothing is asked."))),
    enabled: asked !== null,
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    // a report that took too long is not asked again of its own accord
    retry: false,
    // another kind of report has another answer
    placeholderData: (before) => (before && before.kind === asked?.kind ? before : undefined),
  });
  const refresh = () => void queries.invalidateQueries({ queryKey: ["analytics"] });
  const filter = (filters: AnyFilter[]) => change({ f: filters.map(filterText) }, { push: true });
  useKeys({ r: refresh, "/": () => setEditing({ at: null }), C: () => setPicking(true) });
  const meta = report.data && report.data.kind !== "sql" ? report.data.answer.meta : undefined;
  const { analytics } = view;
  const failed = definitions.isError ? definitions : choices.isError ? choices : null;
  return (
    <PageFrame
      wide
      title="Explore"
      controls={
        <>
          <ApplicationSwitch view={analytics} apps={apps} change={change} />
          <Button icon="filter" onClick={() => setEditing({ at: null })}>
            Filter
          </Button>
          {COMPARED.includes(view.tab) && <ComparisonPicker view={analytics} meta={meta} change={change} />}
          <PeriodPicker view={analytics} meta={meta} change={change} open={picking} onOpen={setPicking} />
          <IconButton name="refresh" label="Refresh" onClick={refresh} />
        </>
      }
    >
      <Tabs tab={view.tab} onOpen={open} />
      <FilterChips filters={analytics.filters} known={known} onChange={filter} onEdit={(at) => setEditing({ at })} />
      {failed ? (
        <Failure error={failed.error} retry={() => void failed.refetch()} />
      ) : !known || !choices.data ? (
        <Waiting what="what can be asked" rows={4} />
      ) : (
        <div className="grid min-w-0 grid-cols-1 gap-4 lg:grid-cols-[21rem_minmax(0,1fr)]">
          <Builder view={view} known={known} choices={choices.data} scope={scope} change={change} put={put} />
          <Result asked={asked} missing={missing(view)} report={report} queryKey={queryKey} show={view.option("show")} controls={view.tab === "trends" && <Shows view={view} change={change} />} onPeople={mayPersons ? (step, reached) => change({ people: `${step}${reached ? "+" : ""}` }, { push: true }) : undefined} />
        </div>
      )}
      {editing && <FilterDialog at={editing.at} filters={analytics.filters} known={known} scope={scope} onChange={filter} onClose={() => setEditing(null)} />}
      {mayPersons && view.people && !view.person && asked?.kind === "funnel" && view.people.step <= asked.question.steps.length && <People question={asked.question} step={view.people.step} reached={view.people.reached} onPerson={(person) => change({ person }, { push: true })} onClose={() => change({ people: undefined })} />}
      {mayPersons && view.person && <Person id={view.person} onClose={() => change({ person: undefined })} />}
    </PageFrame>
  );
}

function Tabs({ tab, onOpen }: { tab: Tab; onOpen: (tab: Tab) => void }) {
  return (
    <nav aria-label="Kinds of reports" className="thin-scroll -mx-3 overflow-x-auto px-3 md:mx-0 md:px-0">
      <ul className="flex min-w-max gap-1 border-b border-line">
        {TABS.map((name) => (
          <li key={name}>
            <button type="button" aria-current={name === tab ? "page" : undefined} onClick={() => onOpen(name)} className={`-mb-px h-10 border-b-2 px-3 ${name === tab ? "border-accent font-medium text-accent-ink" : "border-transparent text-ink-soft hover:text-ink"}`}>
              {TITLES[name]}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
