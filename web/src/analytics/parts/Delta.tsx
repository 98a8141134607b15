import { changeText, type MeasureDefinition } from "../view/definitions";

/** How a figure changed, in the colour of whether that is good. */
export function Delta({ measure, change, now, before, quiet }: { measure: MeasureDefinition | undefined; change: number | null | undefined; now: number | null; before: number | null; quiet?: boolean }) {
  if (change === undefined) return null;
  const text = changeText(measure, change, now, before);
  if (!text) return null;
  const up = change === null || change > 0;
  const flat = change === 0;
  const good = measure?.better === "up" ? up : measure?.better === "down" ? !up : null;
  const color = flat || good === null ? "text-ink-soft" : good ? "text-good-ink" : "text-bad-ink";
  return (
    <span className={`tabular whitespace-nowrap text-xs ${color} ${quiet ? "" : "font-medium"}`}>
      {!flat && <span aria-hidden="true">{up ? "↑ " : "↓ "}</span>}
      {text}
    </span>
  );
}
