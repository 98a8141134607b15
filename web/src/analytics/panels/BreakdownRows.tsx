import { Link } from "@tanstack/react-router";
import { middle } from "../../view/format";
import { useDashboard } from "../parts/context";
import { Delta } from "../parts/Delta";
import { columnTitle, figure, type MeasureDefinition } from "../view/definitions";
import { says, toggled } from "../view/filters";
import type { Answer, Metric, Row } from "../view/question";
import { filterTexts, withTab } from "../view/state";
import { nameOf } from "./rows";
import type { PanelEntry, Tab } from "./table";

const LONGEST = 300;

/** Rows with bars. A click filters by a row, the same click again takes the filter out; with Ctrl or ⌘ in a new tab. */
export function BreakdownRows({ panel, tab, answer, metrics, dim }: { panel: PanelEntry; tab: Tab; answer: Answer; metrics: Metric[]; dim: boolean }) {
  const { view, known } = useDashboard();
  const most = Math.max(1, ...answer.results.map((row) => Math.abs(row.metrics[0] ?? 0) + (row.imported?.[0] ?? 0)));
  const share = (value: number | null | undefined) => `${(100 * Math.abs(value ?? 0)) / most}%`;
  const leftOut = answer.meta.imports?.left_out;
  const shown = metrics.map((name) => known?.measure(name));
  const currency = answer.meta.currencies?.length === 1 ? answer.meta.currencies[0] : undefined;
  const few = metrics.length > 2;
  return (
    <div className={`transition-opacity ${dim ? "opacity-50" : ""}`}>
      <div className="flex items-center gap-3 px-2 pb-1 text-xs text-ink-faint">
        <span className="min-w-0 flex-1">{known?.dimension(tab.dimension)?.label}</span>
        {shown.map((measure, at) => (
          <span key={metrics[at]} title={measure?.definition} className={`${width(measure)} truncate text-right ${few && at > 1 ? "max-sm:hidden" : ""}`}>
            {columnTitle(known, metrics[at] ?? "")}
          </span>
        ))}
      </div>
      <ul className="grid grid-cols-1 gap-0.5">
        {answer.results.map((row) => {
          const named = nameOf(known, tab, row);
          const on = says(view.filters, tab.dimension, named.value);
          const before = row.comparison;
          return (
            <li key={JSON.stringify(row.dimensions)}>
              <Link
                to="." hash={true}
                search={(now: Record<string, unknown>) => ({
                  ...now,
                  all: undefined,
                  f: filterTexts(toggled(view.filters, tab.dimension, named.value)),
                  tab: withTab(view.tabs, panel.id, on ? tab.id : (tab.next ?? tab.id)),
                })}
                resetScroll={false}
                aria-current={on ? "true" : undefined}
                className={`group relative flex h-8 items-center gap-3 overflow-hidden rounded-md px-2 hover:bg-sunken ${on ? "font-medium" : ""}`}
                title={`${middle(named.text, LONGEST)}\n${metrics.map((name, at) => `${known?.measure(name)?.label ?? name}: ${figure(shown[at], row.metrics[at], currency, false)}${before ? ` (before: ${figure(shown[at], before.metrics[at], currency, false)})` : ""}${typeof row.imported?.[at] === "number" ? ` (imported: ${figure(shown[at], row.imported[at], undefined, false)})` : ""}`).join("\n")}`}
              >
                <span aria-hidden="true" className="absolute inset-y-0 left-0 rounded-md bg-accent/12 group-hover:bg-accent/20" style={{ width: share(row.metrics[0]) }} />
                {Boolean(row.imported?.[0]) && <span aria-hidden="true" className="hatched absolute inset-y-0 rounded-md opacity-60" style={{ left: share(row.metrics[0]), width: share(row.imported?.[0]) }} />}
                <span className="relative flex min-w-0 flex-1 items-center gap-2">
                  {named.mark && <span className="w-6 shrink-0 text-center text-[10px] font-semibold tracking-wide text-ink-soft">{named.mark}</span>}
                  <bdi className={`truncate ${named.value === null ? "text-ink-soft" : ""}`}>{middle(named.text, LONGEST)}</bdi>
                </span>
                {before && (
                  <span className="relative max-sm:hidden">
                    <Delta quiet measure={shown[0]} change={before.change[0]} now={row.metrics[0] ?? null} before={before.metrics[0] ?? null} />
                  </span>
                )}
                {metrics.map((name, at) => (
                  <span key={name} className={`tabular relative ${width(shown[at])} whitespace-nowrap text-right ${at ? "text-ink-soft" : ""} ${few && at > 1 ? "max-sm:hidden" : ""}`}>
                    {added(row, at) ? <span title="Imported from another product">+ {figure(shown[at], row.imported?.[at])}</span> : figure(shown[at], row.metrics[at], currency)}
                  </span>
                ))}
              </Link>
            </li>
          );
        })}
      </ul>
      {leftOut && <p className="px-2 pt-1.5 text-xs text-ink-faint">Without imported days: {leftOut}.</p>}
    </div>
  );
}

/** Has the row nothing of one's own, and something imported? */
function added(row: Row, at: number): boolean {
  return !row.metrics[at] && Boolean(row.imported?.[at]);
}

function width(measure: MeasureDefinition | undefined): string {
  return measure?.unit === "money" ? "w-20" : "w-14";
}
