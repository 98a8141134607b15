import { useProperties } from "./catalogue";
import { type BuilderProps, Part } from "./Builder";
import { Choices } from "./Choices";

/** What the result is divided by: a dimension that all its events have, or a property of what they carry. */
export function Breakdown({ view, known, choices, change }: BuilderProps) {
  const carriers = useProperties();
  const kinds = (view.tab === "trends" ? view.steps : view.steps.slice(0, 1)).map((step) => choices.kinds.find((kind) => kind.name === step.kind));
  const fit = known.all.dimensions.filter((one) => kinds.every((kind) => kind?.breakdowns.includes(one.name)));
  const nested = kinds.every((kind) => kind?.name === "event") ? carriers : [];
  const listed = [...fit.map((one) => one.name), ...nested.flatMap((carrier) => carrier.properties.map((one) => one.name))];
  return (
    <Part title="Divided by">
      <select aria-label="Divided by" className="field min-w-0" value={view.breakdown} onChange={(event) => change({ by: event.target.value || undefined })}>
        <option value="">Nothing</option>
        {view.breakdown && !listed.includes(view.breakdown) && <option value={view.breakdown}>{known.dimension(view.breakdown)?.label ?? view.breakdown}</option>}
        <Choices dimensions={fit} carriers={nested} />
      </select>
    </Part>
  );
}
