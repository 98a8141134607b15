import { bucketText } from "../../analytics/view/periods";
import { number } from "../../view/format";
import type { Table, TableCell } from "../table";

/** An answer's rows; numbers at the right. `interval`: of the first column's instants. */
export function TableView({ columns, rows, label, compact = false, interval }: Table & { label: string; compact?: boolean; interval?: string }) {
  const numeric = columns.map((_, at) => rows.some((row) => typeof row[at] === "number") && rows.every((row) => typeof row[at] === "number" || row[at] === null || row[at] === undefined));
  return (
    <div tabIndex={0} role="group" aria-label={label} className={`thin-scroll min-w-0 overflow-auto ${compact ? "max-h-64" : "max-h-[32rem]"}`}>
      <table className="w-full text-[13px]">
        <thead className="sticky top-0 bg-surface">
          <tr>
            {columns.map((column, at) => (
              <th key={at} scope="col" className={`max-w-60 truncate border-b border-line px-3 py-1.5 font-medium text-ink-soft first:pl-0 last:pr-0 ${numeric[at] ? "text-right" : "text-left"}`} title={column}>
                <bdi>{column}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, place) => (
            <tr key={place} className="border-b border-line last:border-0 hover:bg-sunken">
              {columns.map((_, at) => (
                <td key={at} className={`max-w-80 truncate px-3 py-1.5 first:pl-0 last:pr-0 ${numeric[at] ? "tabular text-right" : ""}`} title={text(row[at] ?? null)}>
                  <bdi>{at === 0 && interval && /^\d{4}-/.test(String(row[at])) ? bucketText(String(row[at]), interval, true) : text(row[at] ?? null)}</bdi>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function text(value: TableCell): string {
  return value === null ? "–" : typeof value === "number" ? number(value) : value;
}
