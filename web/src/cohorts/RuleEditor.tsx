/** What people did or did not do, how often and when. */
import { useDefinitions } from "../analytics/view/definitions";
import { Waiting } from "../analytics/parts/Waiting";
import { useReportDefinitions } from "../explore/catalogue";
import { StepEditor } from "../explore/StepEditor";
import { Button, Failure } from "../widgets/ui";
import { OFTEN, PART, PERIODS, type RuleDraft, type RulePart } from "./rule";

const SCOPE = { date_range: "91d" as const, include: { today: true } };
const DATES = "dates";

export function RuleEditor({ draft, onChange }: { draft: RuleDraft; onChange: (draft: RuleDraft) => void }) {
  const { query, known } = useDefinitions();
  const choices = useReportDefinitions();
  const failed = query.isError ? query : choices.isError ? choices : null;
  if (failed) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  if (!known || !choices.data) return <Waiting what="what can be asked" />;
  const put = (at: number, part: RulePart) => onChange({ ...draft, parts: draft.parts.map((one, other) => (other === at ? part : one)) });
  // a cohort is not made of cohorts
  const within = { ...known, cohorts: [] };
  return (
    <fieldset className="grid min-w-0 gap-3">
      <legend className="mb-1 text-[13px] text-ink-soft">People who did</legend>
      <ol className="grid gap-3">
        {draft.parts.map((part, at) => (
          <li key={at} className="grid gap-2">
            <ol>
              <StepEditor step={part.step} mark={String(at + 1)} known={within} choices={choices.data} scope={SCOPE} onChange={(step) => put(at, { ...part, step })} onRemove={draft.parts.length > 1 ? () => onChange({ ...draft, parts: draft.parts.filter((_, other) => other !== at) }) : undefined} />
            </ol>
            <Often part={part} mark={String(at + 1)} onChange={(next) => put(at, next)} />
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap items-center gap-2">
        <Button small icon="plus" disabled={draft.parts.length >= 10} onClick={() => onChange({ ...draft, parts: [...draft.parts, PART] })}>
          Add condition
        </Button>
        {draft.parts.length > 1 && (
          <select aria-label="Which conditions must hold" className="field text-[13px]" value={draft.match} onChange={(event) => onChange({ ...draft, match: event.target.value === "any" ? "any" : "all" })}>
            <option value="all">All of them must hold</option>
            <option value="any">Any of them must hold</option>
          </select>
        )}
      </div>
    </fieldset>
  );
}

function Often({ part, mark, onChange }: { part: RulePart; mark: string; onChange: (part: RulePart) => void }) {
  const dates = typeof part.period === "string" ? null : part.period;
  const least = part.often === "at_least" ? 1 : 0;
  return (
    <div className="flex flex-wrap items-center gap-2 text-[13px]">
      <select aria-label={`How often ${mark}`} className="field" value={part.often} onChange={(event) => onChange({ ...part, often: OFTEN.find((one) => one.id === event.target.value)?.id ?? "at_least", times: event.target.value === "at_least" ? Math.max(1, part.times) : part.times })}>
        {OFTEN.map((one) => (
          <option key={one.id} value={one.id}>
            {one.label}
          </option>
        ))}
      </select>
      <input type="number" aria-label={`Times ${mark}`} required min={least} max={100_000} className="field w-20" value={part.times} onChange={(event) => onChange({ ...part, times: Math.max(0, Math.trunc(Number(event.target.value))) })} />
      {part.times === 1 ? "time" : "times"}
      <select aria-label={`Period ${mark}`} className="field" value={dates ? DATES : part.period} onChange={(event) => onChange({ ...part, period: event.target.value === DATES ? [today(), today()] : event.target.value })}>
        {PERIODS.map((one) => (
          <option key={one.id} value={one.id}>
            {one.label}
          </option>
        ))}
        <option value={DATES}>between two days</option>
      </select>
      {dates && (
        <span className="flex flex-wrap items-center gap-2">
          <input type="date" aria-label={`First day ${mark}`} required className="field" value={dates[0]} max={dates[1]} onChange={(event) => onChange({ ...part, period: [event.target.value, dates[1]] })} />
          to
          <input type="date" aria-label={`Last day ${mark}`} required className="field" value={dates[1]} min={dates[0]} onChange={(event) => onChange({ ...part, period: [dates[0], event.target.value] })} />
        </span>
      )}
      {part.times === 0 && part.often !== "at_least" && <span className="w-full text-ink-soft">People with a visit who never did this.</span>}
    </div>
  );
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
