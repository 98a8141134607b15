/** Repairing a cause: choose what to change, see it on examples, count, run. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useId, useState } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { useMay } from "../../shell/session";
import { counted, number } from "../../view/format";
import { Icon } from "../../widgets/icons";
import { Loaded } from "../../widgets/Loaded";
import { Badge, Button, CopyButton, Failure } from "../../widgets/ui";
import { asOptions, type Choice, combined, type Edits, isEmpty, noEdits, type Offer, OPTIONS, type Problem, suggested } from "./edits";
import { Preview } from "./Preview";
import { RunCard, useRun } from "./Run";

export function Repair({ cause, open }: { cause: string; open: number }) {
  const repair = useQuery({
    queryKey: ["repair", cause],
    queryFn: () => ask(api.GET("/api/v1/failed/causes/{cause}/repair", { params: { path: { cause } } })),
  });
  return (
    <section aria-label="Repair" className="mb-5 rounded-xl border border-line bg-sunken">
      <Loaded query={repair} what="what would repair this" rows={2}>
        {(data) => <Form key={cause} cause={cause} open={open} repair={data} />}
      </Loaded>
    </section>
  );
}

/** Whether a choice must be tried unchanged: what was missing is there now. */
function again(problems: Problem[], choices: Record<number, Choice>): boolean {
  return Object.entries(choices).some(([at, choice]) => problems[Number(at)]?.offers[choice.offer]?.action === "replay");
}

function Form({ cause, open, repair }: { cause: string; open: number; repair: Schemas["Repair"] }) {
  const may = useMay("recover");
  const queries = useQueryClient();
  const problems = repair.problems;
  const [choices, setChoices] = useState(() => suggested(problems));
  const [rule, setRule] = useState(false);
  const edits = combined(problems, choices);
  const settled = useSettled(JSON.stringify(edits));
  const ready = !isEmpty(edits) || again(problems, choices);
  const runs = useQuery({ queryKey: ["runs", cause], queryFn: () => ask(api.GET("/api/v1/failed/runs", { params: { query: { cause } } })) });
  const count = runs.data?.find((run) => run.dry_run && JSON.stringify(plain(run.edits)) === JSON.stringify(edits));
  const begin = useMutation({
    mutationFn: async (dry: boolean) => {
      if (!dry && rule) {
        await ask(api.POST("/api/v1/failed/rules", { body: { cause, edits } }));
        void queries.invalidateQueries({ queryKey: ["rules"] });
      }
      return ask(api.POST("/api/v1/failed/recover", { body: { cause, ids: [], edits, dry_run: dry } }));
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ["runs", cause] }),
  });
  const counting = useRun(count?.run, cause);
  const offers = problems.some((problem) => problem.offers.length > 0);
  return (
    <>
      <div className="grid gap-4 p-3">
        <h3 className="font-semibold">{offers ? "Repair" : "What to do"}</h3>
        {problems.map((problem, at) => (
          <ProblemChoices
            key={`${problem.place}-${problem.message}`}
            problem={problem}
            alone={problems.length === 1}
            tried={repair.tried}
            cause={cause}
            choice={choices[at]}
            edits={edits}
            before={problems.slice(0, at)}
            onChoose={(choice) =>
              setChoices((before) => {
                const { [at]: _, ...rest } = before;
                return choice ? { ...rest, [at]: choice } : rest;
              })
            }
          />
        ))}
        {(repair.lost || !offers) && <p className="text-ink-soft">{repair.lost ? `They can't be replayed: ${repair.lost}.` : repair.advice}</p>}
        {open === 0 && <p className="text-ink-soft">No failure of this cause is open.</p>}
      </div>
      {ready && open > 0 && (
        <div className="grid gap-3 border-t border-line p-3">
          {may ? (
            <>
              <div className="flex flex-wrap gap-2">
                <Button kind="primary" icon="recover" disabled={begin.isPending} onClick={() => begin.mutate(false)}>
                  {counting.data?.state === "done" ? `Repair ${counted(counting.data.totals.recovered ?? 0, "event")}` : `Repair all ${number(open)}`}
                </Button>
                <Button disabled={begin.isPending || counting.data?.state === "running"} onClick={() => begin.mutate(true)}>
                  {counting.data?.state === "running" ? "Counting…" : `Count over all ${number(open)}`}
                </Button>
                <CopyButton kind="quiet" label="Copy command" text={() => `snowgauge failed recover --group ${cause} ${asOptions(edits)}`.trim()} />
              </div>
              <label className="flex items-start gap-2">
                <input type="checkbox" className="mt-1" checked={rule} onChange={(event) => setRule(event.target.checked)} disabled={isEmpty(edits)} />
                <span>
                  Keep as a rule
                  <span className="block text-[13px] text-ink-soft">The same failure is repaired automatically from now on.</span>
                </span>
              </label>
            </>
          ) : (
            <p className="text-[13px] text-ink-soft">You can look at repairs. Running one needs the permission to recover failed events.</p>
          )}
          {begin.isError && <Failure error={begin.error} />}
          {counting.data && counting.data.state !== "stopped" && <Count run={counting.data} />}
          <Preview cause={cause} edits={JSON.parse(settled)} />
        </div>
      )}
      {runs.data
        ?.filter((run) => !run.dry_run)
        .slice(0, 3)
        .map((run) => (
          <div key={run.run} className="border-t border-line p-3">
            <RunCard id={run.run} cause={cause} known={run} />
          </div>
        ))}
    </>
  );
}

/** Whether another problem's choice makes the same edits. */
function within(offer: Offer, edits: Edits): boolean {
  const lines = OPTIONS.flatMap((option) => (offer.edits?.[option] ?? []).map((line) => edits[option].includes(line)));
  return lines.length > 0 && lines.every(Boolean);
}

function plain(edits: Partial<Edits>): Edits {
  const empty = noEdits();
  return Object.fromEntries(Object.keys(empty).map((option) => [option, edits[option as keyof Edits] ?? []])) as Edits;
}

/** A text once it has not changed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 300);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function Count({ run }: { run: Schemas["RunState"] }) {
  const { totals } = run;
  const rows = totals.rows ?? 0;
  if (run.state === "running") {
    return (
      <p role="status" className="text-[13px] text-ink-soft">
        Counted {number(rows)} of {number(run.expected)}…
      </p>
    );
  }
  const reasons = Object.entries(run.reasons ?? {});
  return (
    <div role="status" className="grid gap-1 text-[13px]">
      <p>
        <strong>{number(totals.recovered ?? 0)}</strong> of {number(rows)} would become good events.
      </p>
      {run.trouble && <p className="text-bad-ink">{run.trouble}</p>}
      {reasons.length > 0 && (
        <ul className="grid gap-0.5 text-ink-soft">
          {reasons.map(([reason, times]) => (
            <li key={reason} className="break-words">
              {number(times)} would not: {reason}.
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface ChoicesProps {
  problem: Problem;
  alone: boolean;
  tried: number;
  cause: string;
  choice: Choice | undefined;
  /** Those of all problems together. */
  edits: Edits;
  /** The problems above, whose links are not repeated. */
  before: Problem[];
  onChoose: (choice: Choice | null) => void;
}

function ProblemChoices({ problem, alone, tried, cause, choice, edits, before, onChoose }: ChoicesProps) {
  const name = useId();
  const choosable = problem.offers.filter((offer) => offer.action === "edit" || offer.action === "replay");
  const links = problem.offers.filter((offer) => !choosable.includes(offer) && !before.some((one) => one.offers.some((other) => other.title === offer.title)));
  return (
    <fieldset className="grid gap-1.5">
      <legend className={alone ? "sr-only" : "mb-1 break-words text-[13px] font-medium"}>{problem.headline}</legend>
      {choosable.map((offer) => {
        const at = problem.offers.indexOf(offer);
        const chosen = choice ? choice.offer === at : within(offer, edits);
        return (
          <div key={offer.title} className={`rounded-lg border bg-surface ${chosen ? "border-accent" : "border-line"}`}>
            <label className="flex cursor-pointer items-start gap-2 px-2.5 py-2">
              <input type="radio" name={name} className="mt-1" checked={chosen} onChange={() => onChoose({ offer: at, value: "", mapped: {} })} onClick={() => choice?.offer === at && onChoose(null)} />
              <span className="min-w-0 flex-1 break-words">{offer.title}</span>
              {offer.helps !== null && offer.helps !== undefined && (
                <Badge tone={offer.helps === tried ? "good" : "plain"} title={`Tried on ${counted(tried, "example")}`}>
                  helps {offer.helps} of {tried}
                </Badge>
              )}
            </label>
            {choice && chosen && offer.asked && <Value problem={problem} offer={offer} choice={choice} onChange={onChoose} />}
          </div>
        );
      })}
      {links.length > 0 && (
        <ul className="flex flex-wrap gap-2">
          {links.map((offer) => (
            <li key={offer.title} className="max-w-full">
              <OtherWay offer={offer} cause={cause} />
            </li>
          ))}
        </ul>
      )}
    </fieldset>
  );
}

const LINK = "inline-flex min-h-8 items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-2.5 py-1 text-[13px] hover:bg-raised";

/** What is not an edit: schemas, and words. */
function OtherWay({ offer, cause }: { offer: Offer; cause: string }) {
  if (offer.action === "infer") {
    return (
      <Link to="/schemas" search={{ from: cause }} className={LINK}>
        <Icon name="wand" size={15} /> {offer.title}
      </Link>
    );
  }
  if (offer.action === "new_version") {
    return (
      <Link to="/schemas" search={{ create: "1", base: offer.schema ?? "" }} className={LINK}>
        <Icon name="schema" size={15} /> {offer.title}
      </Link>
    );
  }
  return <span className="text-ink-soft">{offer.title}.</span>;
}

function Value({ problem, offer, choice, onChange }: { problem: Problem; offer: Offer; choice: Choice; onChange: (choice: Choice) => void }) {
  const asked = offer.asked;
  if (!asked) return null;
  if (asked.option !== "replace") {
    return (
      <div className="border-t border-line px-2.5 py-2">
        <ValueInput label={`Value of ${asked.path}`} asked={asked} value={choice.value} onChange={(value) => onChange({ ...choice, value })} />
      </div>
    );
  }
  return (
    <ul className="grid gap-1.5 border-t border-line px-2.5 py-2">
      {problem.values.map((sent, at) => (
        <li key={JSON.stringify(sent.value)} className="grid grid-cols-[minmax(0,1fr)_1rem_minmax(0,1fr)] items-center gap-2">
          <span className="min-w-0">
            <code className="break-all">{JSON.stringify(sent.value)}</code> <span className="text-xs text-ink-soft">× {number(sent.count)}</span>
          </span>
          <span aria-hidden="true">→</span>
          <ValueInput label={`Replacement for ${JSON.stringify(sent.value)}`} asked={asked} value={choice.mapped[at] ?? ""} onChange={(value) => onChange({ ...choice, mapped: { ...choice.mapped, [at]: value } })} />
        </li>
      ))}
      {problem.values.length === 0 && <li className="text-[13px] text-ink-soft">The values are too long or too many to list here.</li>}
    </ul>
  );
}

function ValueInput({ label, asked, value, onChange }: { label: string; asked: NonNullable<Offer["asked"]>; value: string; onChange: (value: string) => void }) {
  const choices = asked.choices ?? [];
  if (choices.length) {
    return (
      <select aria-label={label} className="field w-full" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">Leave as it is</option>
        {choices.map((each, at) => (
          <option key={JSON.stringify(each)} value={at}>
            {typeof each === "string" ? each : JSON.stringify(each)}
          </option>
        ))}
      </select>
    );
  }
  return <input aria-label={label} className="field w-full" placeholder={asked.types?.length ? asked.types.join(" or ") : "value"} value={value} onChange={(event) => onChange(event.target.value)} />;
}
