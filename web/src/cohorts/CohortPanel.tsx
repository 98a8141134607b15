/** One cohort: its name, its rule or list, its size, and who is in it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Waiting } from "../analytics/parts/Waiting";
import { api, ask, type Schemas } from "../api/client";
import { useMay } from "../shell/session";
import { ago, counted } from "../view/format";
import { SidePanel } from "../widgets/SidePanel";
import { Button, Failure, Segmented } from "../widgets/ui";
import { Members } from "./Members";
import { RuleEditor } from "./RuleEditor";
import { PART, readRule, type RuleDraft, writeRule } from "./rule";

type Cohort = Schemas["SavedCohort"];

interface Props {
  /** Nothing: a new one. */
  cohort: Cohort | undefined;
  onClose: () => void;
  onMade: (id: string) => void;
  onPerson: (id: string) => void;
}

export function CohortPanel({ cohort, onClose, onMade, onPerson }: Props) {
  const queries = useQueryClient();
  const persons = useMay("read:persons");
  const mayShare = useMay("write:analytics");
  const [name, setName] = useState(cohort?.name ?? "");
  const [shared, setShared] = useState(cohort?.shared ?? false);
  const [kind, setKind] = useState<"rule" | "list">(cohort && !cohort.rule ? "list" : "rule");
  const [draft, setDraft] = useState<RuleDraft>(() => (cohort?.rule ? readRule(cohort.rule) : { match: "all", parts: [PART] }));
  const [csv, setCsv] = useState("");
  const settle = () => void queries.invalidateQueries({ queryKey: ["cohorts"] });
  const save = useMutation({
    mutationFn: () => {
      const rule = kind === "rule" ? writeRule(draft) : undefined;
      if (cohort) return ask(api.PATCH("/api/v1/analytics/cohorts/{cohort_id}", { params: { path: { cohort_id: cohort.id } }, body: { name, shared, ...(rule ? { rule } : {}) } }));
      return ask(api.POST("/api/v1/analytics/cohorts", { body: { name, shared, ...(rule ? { rule } : { csv }) } }));
    },
    onSuccess: (made) => {
      settle();
      onMade(made.id);
    },
  });
  const count = useMutation({ mutationFn: (id: string) => ask(api.POST("/api/v1/analytics/cohorts/{cohort_id}/count", { params: { path: { cohort_id: id } } })), onSuccess: settle });
  const remove = useMutation({
    mutationFn: (id: string) => ask(api.DELETE("/api/v1/analytics/cohorts/{cohort_id}", { params: { path: { cohort_id: id } } })),
    onSuccess: () => {
      settle();
      onClose();
    },
  });
  const may = !cohort || cohort.mine || mayShare;
  const failed = save.isError ? save : count.isError ? count : remove.isError ? remove : null;
  return (
    <SidePanel title={cohort ? "Cohort" : "New cohort"} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <label className="grid gap-1 text-[13px]">
          Name
          <input required maxLength={100} disabled={!may} className="field text-[14px]" value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        {!cohort && persons && (
          <Segmented
            label="What makes people members"
            value={kind}
            onChange={setKind}
            options={[
              { id: "rule", label: "What they did" },
              { id: "list", label: "A list of IDs" },
            ]}
          />
        )}
        {kind === "rule" && may && <RuleEditor draft={draft} onChange={setDraft} />}
        {kind === "list" && !cohort && <FromFile text={csv} onChange={setCsv} />}
        {mayShare && (
          <label className="flex items-center gap-2 text-[13px]">
            <input type="checkbox" className="accent-accent" checked={shared} onChange={(event) => setShared(event.target.checked)} />
            Share with everyone who sees figures
          </label>
        )}
        {kind === "rule" && may && <Preview draft={draft} />}
        {failed && <Failure error={failed.error} />}
        {may && (
          <div className="flex flex-wrap gap-2">
            <Button kind="primary" type="submit" disabled={save.isPending || (kind === "list" && !cohort && !csv.trim())}>
              {save.isPending ? "Saving…" : cohort ? "Save changes" : "Save cohort"}
            </Button>
            {cohort && (
              <Button kind="danger" disabled={remove.isPending} onClick={() => confirm(`Remove the cohort “${cohort.name}”? Saved reports and links that use it stop working.`) && remove.mutate(cohort.id)}>
                Remove cohort
              </Button>
            )}
          </div>
        )}
      </form>
      {cohort && (
        <section className="mt-6 grid gap-3 border-t border-line pt-4">
          <div className="flex flex-wrap items-center gap-2">
            <h3 className="min-w-0 flex-1 font-medium">
              {cohort.people !== null ? counted(cohort.people, "person", "people") : cohort.counted_at ? "Fewer than 10 people" : "Not counted yet"}
              {cohort.counted_at !== null && <span className="block text-[13px] font-normal text-ink-soft">counted {ago(cohort.counted_at)}</span>}
            </h3>
            <Button small disabled={count.isPending} onClick={() => count.mutate(cohort.id)}>
              {count.isPending ? "Counting…" : "Count now"}
            </Button>
            {persons && (
              <a className="inline-flex h-7 items-center rounded-lg border border-line-strong bg-surface px-2 text-[13px] hover:bg-sunken" href={`/api/v1/analytics/cohorts/${encodeURIComponent(cohort.id)}/csv`} download>
                Export CSV
              </a>
            )}
          </div>
          {persons && <Members key={cohort.changed_at} id={cohort.id} onPerson={onPerson} />}
        </section>
      )}
    </SidePanel>
  );
}

function FromFile({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  return (
    <div className="grid gap-2 text-[13px]">
      <label className="grid gap-1">
        Person IDs, user IDs or visitor IDs, one a line; or a CSV file with a column id
        <textarea className="field min-h-32 font-mono text-[13px]" value={text} maxLength={8_000_000} spellCheck={false} onChange={(event) => onChange(event.target.value)} />
      </label>
      <input
        type="file"
        aria-label="CSV file"
        accept=".csv,.txt,text/csv,text/plain"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) void file.text().then(onChange);
        }}
      />
    </div>
  );
}

/** How many people meet it, once it has rested for a moment. */
function Preview({ draft }: { draft: RuleDraft }) {
  const rule = writeRule(draft);
  const [asked, setAsked] = useState<Record<string, unknown> | null>(null);
  const size = useQuery({ queryKey: ["cohort size", asked], queryFn: ({ signal }) => ask(api.POST("/api/v1/analytics/cohorts/count", { body: { rule: asked ?? {} }, signal })), enabled: asked !== null, retry: false, refetchOnWindowFocus: false });
  const current = JSON.stringify(asked) === JSON.stringify(rule);
  return (
    <div className="flex min-h-7 flex-wrap items-center gap-3 text-[13px]">
      <Button small onClick={() => setAsked(rule)} disabled={current && size.isFetching}>
        Count people
      </Button>
      {current && size.isPending && <Waiting what="how many people there are" />}
      {current && size.isError && <Failure error={size.error} />}
      {current && size.data && <output className="font-medium">{size.data.people !== null ? counted(size.data.people, "person", "people") : `Fewer than ${size.data.fewer_than} people`}</output>}
    </div>
  );
}
