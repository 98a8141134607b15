/** What conversions are owed to: the chosen model as bars, the others beside it, and the return on spend. */
import { money } from "../../analytics/view/definitions";
import { number } from "../../view/format";
import type { Reports } from "../kinds";
import { groupName } from "../table";

type Row = Reports["attribution"]["answer"]["results"][number];

export function AttributionView({ question, answer, compact }: Reports["attribution"] & { compact: boolean }) {
  const model = question.model;
  const others = Object.keys(answer.results[0]?.models ?? {}).filter((name) => name !== model);
  const most = Math.max(1e-9, ...answer.results.map((row) => row.models[model]?.conversions ?? 0));
  const spent = answer.results.some((row) => row.spend !== null);
  const paid = answer.revenue > 0;
  const rows = compact ? answer.results.slice(0, 6) : answer.results;
  return (
    <div className="grid min-w-0 gap-3">
      {!compact && (
        <p className="text-[13px] text-ink-soft">
          <span className="tabular text-xl font-semibold tracking-tight text-ink">{number(answer.conversions)}</span> {answer.conversions === 1 ? "conversion" : "conversions"}
          {paid && (
            <>
              {" "}
              worth <span className="tabular font-semibold text-ink">{money(answer.revenue, answer.currency || undefined, false)}</span>
            </>
          )}
          , divided by the model <em className="not-italic text-ink">{model}</em>.
        </p>
      )}
      <div tabIndex={0} role="group" aria-label="Conversions by what they are owed to" className="thin-scroll min-w-0 overflow-auto">
        <table className="w-full text-[13px]">
          <thead>
            <tr className="border-b border-line text-ink-soft">
              <Head first>{question.by.replace("_", " ")}</Head>
              <Head>Conversions</Head>
              {paid && <Head>Revenue</Head>}
              {spent && !compact && <Head>Spend</Head>}
              {spent && <Head title="Revenue per unit of spend">ROAS</Head>}
              {spent && !compact && <Head title="Spend per conversion">CPA</Head>}
              {!compact && others.map((name) => <Head key={name}>{name}</Head>)}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <Line key={at} row={row} model={model} others={compact ? [] : others} most={most} paid={paid} spent={spent} compact={compact} currency={answer.currency} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Head({ first = false, title, children }: { first?: boolean; title?: string; children: string }) {
  return (
    <th scope="col" title={title} className={`whitespace-nowrap py-1.5 font-medium first-letter:uppercase ${first ? "pr-3 text-left" : "px-3 text-right last:pr-0"}`}>
      {children}
    </th>
  );
}

function Line({ row, model, others, most, paid, spent, compact, currency }: { row: Row; model: string; others: string[]; most: number; paid: boolean; spent: boolean; compact: boolean; currency: string }) {
  const credit = row.models[model];
  const name = row.none ? "(no touch)" : groupName(row);
  const cash = (value: number | null | undefined) => (value === null || value === undefined ? "–" : money(value, currency || undefined, false));
  return (
    <tr className="border-b border-line last:border-0">
      <th scope="row" className="max-w-56 py-1.5 pr-3 text-left font-normal">
        <bdi className={`block truncate ${row.none || row.other ? "text-ink-soft" : ""}`} title={name}>
          {name}
        </bdi>
        <svg aria-hidden="true" className="mt-1 h-1.5 w-full" preserveAspectRatio="none" viewBox="0 0 100 10">
          <rect width="100" height="10" rx="1" className="fill-sunken" />
          <rect width={(100 * (credit?.conversions ?? 0)) / most} height="10" rx="1" className={row.none || row.other ? "fill-ink-faint" : "fill-accent"} />
        </svg>
      </th>
      <td className="tabular px-3 py-1.5 text-right font-semibold">{counted(credit?.conversions)}</td>
      {paid && <td className="tabular whitespace-nowrap px-3 py-1.5 text-right last:pr-0">{cash(credit?.revenue)}</td>}
      {spent && !compact && <td className="tabular whitespace-nowrap px-3 py-1.5 text-right">{cash(row.spend)}</td>}
      {spent && <td className="tabular px-3 py-1.5 text-right">{credit?.roas === null || credit?.roas === undefined ? "–" : `${credit.roas.toFixed(2)}×`}</td>}
      {spent && !compact && <td className="tabular whitespace-nowrap px-3 py-1.5 text-right">{cash(credit?.cpa)}</td>}
      {others.map((other) => (
        <td key={other} className="tabular px-3 py-1.5 text-right text-ink-soft last:pr-0">
          {counted(row.models[other]?.conversions)}
        </td>
      ))}
    </tr>
  );
}

function counted(value: number | undefined): string {
  return value === undefined ? "–" : number(Math.round(value * 10) / 10);
}
