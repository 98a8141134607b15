/** What is asked, for each kind of report. */
import type { ReactNode } from "react";
import type { Known } from "../analytics/view/definitions";
import type { Scope } from "../analytics/view/question";
import { Button } from "../widgets/ui";
import { Breakdown } from "./Breakdown";
import type { ReportDefinitions } from "./catalogue";
import { Formulas } from "./Formulas";
import { DIVIDED } from "./question";
import { SpendImport } from "./SpendImport";
import { capital, StepEditor } from "./StepEditor";
import { EMPTY, type ExploreView, type Steer, type Step, stepText } from "./state";

export interface BuilderProps {
  view: ExploreView;
  known: Known;
  choices: ReportDefinitions;
  scope: Scope;
  change: Steer;
  put: (steps: Step[]) => void;
}

export function Builder(props: BuilderProps) {
  const { view } = props;
  return (
    <form aria-label="Question" className="grid min-w-0 content-start gap-4" onSubmit={(event) => event.preventDefault()}>
      <Events {...props} />
      {view.tab === "trends" && <Formulas {...props} />}
      {view.tab === "retention" && <Back {...props} />}
      {DIVIDED.includes(view.tab) && <Breakdown {...props} />}
      <Options {...props} />
    </form>
  );
}

const HEADS: Record<ExploreView["tab"], string> = { trends: "Series", funnel: "Steps", retention: "People who did", lifecycle: "People who do", stickiness: "People who do", journeys: "Ways through", attribution: "Conversions" };

function Events({ view, known, choices, scope, put, change }: BuilderProps) {
  const { steps, tab } = view;
  const many = tab === "trends" || tab === "funnel";
  const most = tab === "trends" ? choices.most_series : tab === "funnel" ? choices.most_steps : 1;
  const least = tab === "funnel" ? 2 : tab === "journeys" ? 0 : 1;
  const swap = (a: number, b: number) => put(steps.map((step, at) => (at === a ? (steps[b] ?? step) : at === b ? (steps[a] ?? step) : step)));
  return (
    <Part title={HEADS[tab]} note={tab === "journeys" && !steps.length ? "Without an event, ways begin with the visit." : undefined}>
      <ol className="grid gap-2">
        {(many ? steps : steps.slice(0, 1)).map((step) => (tab === "attribution" && step.kind !== "goal" ? { ...EMPTY, kind: "goal" as const } : step)).map((step, at) => (
          <StepEditor
            key={at}
            step={step}
            mark={tab === "trends" ? String.fromCharCode(65 + at) : tab === "funnel" ? String(at + 1) : "•"}
            known={known}
            choices={choices}
            scope={scope}
            measured={tab === "trends"}
            fixed={tab === "attribution"}
            onChange={(next) => put(steps.map((other, place) => (place === at ? next : other)))}
            onRemove={steps.length > least ? () => (steps.length === 1 ? change({ e: undefined }) : put(steps.filter((_, place) => place !== at))) : undefined}
            onMove={tab === "funnel" && steps.length > 2 ? { up: at > 0 ? () => swap(at, at - 1) : undefined, down: at < steps.length - 1 ? () => swap(at, at + 1) : undefined } : undefined}
          />
        ))}
      </ol>
      {(many ? steps.length < most : tab === "journeys" && !steps.length) && (
        <Button small icon="plus" className="justify-self-start" onClick={() => put([...steps, EMPTY])}>
          {tab === "trends" ? "Add series" : tab === "funnel" ? "Add step" : "Begin at an event"}
        </Button>
      )}
    </Part>
  );
}

function Back({ view, known, choices, scope, change }: BuilderProps) {
  return (
    <Part title="And came back to do">
      {view.back ? (
        <ol>
          <StepEditor step={view.back} mark="↩" known={known} choices={choices} scope={scope} onChange={(back) => change({ back: stepText(back) })} onRemove={() => change({ back: undefined })} />
        </ol>
      ) : (
        <Button small icon="plus" className="justify-self-start" onClick={() => change({ back: stepText(EMPTY) })}>
          Something else than the same event
        </Button>
      )}
    </Part>
  );
}

const WINDOWS = [
  { id: "1800", label: "30 minutes" },
  { id: "3600", label: "1 hour" },
  { id: "86400", label: "1 day" },
  { id: "", label: "7 days" },
  { id: "1209600", label: "14 days" },
  { id: "2592000", label: "30 days" },
  { id: "7776000", label: "90 days" },
];

function Options({ view, choices, change }: BuilderProps) {
  const set = (name: string) => (value: string) => change({ [name]: value || undefined });
  const { option } = view;
  const named = (list: { name: string; label: string }[]) => list.map((one, at) => ({ id: at === 0 ? "" : one.name, label: capital(one.label) }));
  const intervals = (usual: string) => choices.intervals.map((name) => ({ id: name === usual ? "" : name, label: `By ${name}` }));
  switch (view.tab) {
    case "trends":
      return null;
    case "funnel":
      return (
        <Part title="How">
          <Select label="Order" value={option("order")} options={named(choices.orders)} onChange={set("order")} />
          <Select label="Who is counted" value={option("unit")} options={named(choices.units)} onChange={set("unit")} />
          <Select label="Time to get through" value={option("window")} options={WINDOWS.some((one) => one.id === option("window")) ? WINDOWS : [...WINDOWS, { id: option("window"), label: `${option("window")} seconds` }]} onChange={set("window")} />
        </Part>
      );
    case "retention":
      return (
        <Part title="How">
          <Select label="Interval" value={option("interval")} options={intervals("week")} onChange={set("interval")} />
          <Select label="Cohorts" value={option("mode")} options={named(choices.modes)} onChange={set("mode")} />
          <Select label="Who came back" value={option("returning")} options={named(choices.returning)} onChange={set("returning")} />
        </Part>
      );
    case "attribution":
      return (
        <Part title="How">
          <Select label="Owed to" value={option("touch")} options={named(choices.divided_by)} onChange={set("touch")} />
          <Select label="Model" value={option("model")} options={choices.models.map((one, at) => ({ id: at === 0 ? "" : one.name, label: `${capital(one.name)}: ${one.label}` }))} onChange={set("model")} />
          <Select label="Touches of" value={option("lookback")} options={[7, 14, 30, 60, 90, 180].map((days) => ({ id: days === 30 ? "" : String(days), label: `${days} days before` }))} onChange={set("lookback")} />
          <Select label="Direct visits" value={option("direct")} options={named(choices.direct)} onChange={set("direct")} />
          <SpendImport />
        </Part>
      );
    case "lifecycle":
    case "stickiness":
      return (
        <Part title="How">
          <Select label="Interval" value={option("interval")} options={intervals(view.tab === "lifecycle" ? "week" : "day")} onChange={set("interval")} />
        </Part>
      );
    case "journeys": {
      const kinds = option("kinds") || view.steps[0]?.kind || "page";
      const chosen = kinds.split("~");
      return (
        <Part title="How">
          <Select label="Direction" value={option("direction")} options={named(choices.directions)} onChange={set("direction")} />
          <fieldset className="flex flex-wrap items-center gap-x-4 gap-y-1 text-[13px]">
            <legend className="mb-1 text-ink-soft">What is a step</legend>
            {choices.kinds.map((kind) => (
              <label key={kind.name} className="flex items-center gap-1.5">
                <input type="checkbox" className="accent-accent" checked={chosen.includes(kind.name)} disabled={chosen.length === 1 && chosen[0] === kind.name} onChange={(event) => change({ kinds: (event.target.checked ? [...chosen, kind.name] : chosen.filter((one) => one !== kind.name)).join("~") })} />
                {kind.label}
              </label>
            ))}
          </fieldset>
          <Select label="Ways of" value={option("unit")} options={[...named(choices.units)].reverse().map((one) => ({ id: one.id === "" ? "person" : "", label: one.id === "" ? "One person, over all visits" : "One visit" }))} onChange={set("unit")} />
          <Select label="Pages" value={option("group")} options={named(choices.groupings)} onChange={set("group")} />
          <Select label="Steps" value={option("length")} options={[2, 3, 4, 5, 6, 7, 8, 9, 10].map((steps) => ({ id: steps === 4 ? "" : String(steps), label: `${steps} steps` }))} onChange={set("length")} />
        </Part>
      );
    }
  }
}

export function Part({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <section className="grid min-w-0 gap-2">
      <h2 className="text-[13px] text-ink-soft">{title}</h2>
      {note && <p className="text-[13px] text-ink-soft">{note}</p>}
      {children}
    </section>
  );
}

export function Select({ label, value, options, onChange }: { label: string; value: string; options: { id: string; label: string }[]; onChange: (value: string) => void }) {
  return (
    <label className="grid min-w-0 gap-1 text-[13px]">
      <span className="text-ink-soft">{label}</span>
      <select className="field min-w-0 text-[14px]" value={options.some((one) => one.id === value) ? value : ""} onChange={(event) => onChange(event.target.value)}>
        {options.map((one) => (
          <option key={one.id} value={one.id}>
            {one.label}
          </option>
        ))}
      </select>
    </label>
  );
}
