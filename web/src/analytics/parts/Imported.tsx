import { figure, type MeasureDefinition } from "../view/definitions";

/** What imported days have of a measure; it stands beside the measure's own figure, which leaves it out. */
export function Imported({ measure, value, before }: { measure: MeasureDefinition | undefined; value: number | null | undefined; before?: boolean }) {
  if (value === null || value === undefined) return null;
  return (
    <span className="tabular flex items-center gap-1.5 whitespace-nowrap text-xs text-ink-soft" title={`Imported from another product${before ? ", in the period that is compared with" : ""}: ${figure(measure, value, undefined, false)}`}>
      <span aria-hidden="true" className="hatched size-2.5 rounded-[3px]" />
      {figure(measure, value)} imported{before ? " before" : ""}
    </span>
  );
}
