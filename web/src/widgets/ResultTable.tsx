import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { Icon } from "./icons";

/** Rows of a query, as many as there are, sorted by a click on a column. */
export function ResultTable({ columns, rows, height = "max-h-[55dvh]" }: { columns: string[]; rows: unknown[][]; height?: string }) {
  const [sort, setSort] = useState<{ at: number; down: boolean } | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => {
    if (!sort) return rows;
    const order = (a: unknown, b: unknown) => (typeof a === "number" && typeof b === "number" ? a - b : asNumber(a, b) ?? text(a).localeCompare(text(b)));
    return [...rows].sort((a, b) => order(a[sort.at], b[sort.at]) * (sort.down ? -1 : 1));
  }, [rows, sort]);
  const numbers = useMemo(() => columns.map((_, at) => rows.some((row) => typeof row[at] === "number") && rows.every((row) => typeof row[at] === "number" || row[at] === null)), [columns, rows]);
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 32, overscan: 16 });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <div ref={box} tabIndex={0} role="region" aria-label="Result" className={`thin-scroll ${height} overflow-auto`}>
      <table className="w-full border-separate border-spacing-0 text-left text-[13px]">
        <thead className="sticky top-0 z-10">
          <tr>
            {columns.map((column, at) => (
              <th key={`${column}-${at}`} scope="col" aria-sort={sort?.at === at ? (sort.down ? "descending" : "ascending") : undefined} className="border-b border-line bg-surface p-0 font-medium text-ink-soft">
                <button type="button" className={`flex w-full items-center gap-1 whitespace-nowrap px-3 py-2 hover:text-ink ${numbers[at] ? "justify-end" : ""}`} onClick={() => setSort((now) => (now?.at !== at ? { at, down: true } : now.down ? { at, down: false } : null))}>
                  {column}
                  {sort?.at === at && <Icon name="down" size={13} className={sort.down ? "" : "rotate-180"} />}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && (
            <tr aria-hidden="true">
              <td style={{ height: before }} colSpan={columns.length} />
            </tr>
          )}
          {items.map((item) => (
            <tr key={item.key} className="h-8 hover:bg-sunken">
              {shown[item.index]?.map((value, at) => (
                <td key={at} className={`max-w-md truncate border-b border-line px-3 ${numbers[at] ? "tabular text-right" : ""}`} title={text(value)}>
                  {value === null ? <span className="text-ink-faint">null</span> : text(value)}
                </td>
              ))}
            </tr>
          ))}
          {after > 0 && (
            <tr aria-hidden="true">
              <td style={{ height: after }} colSpan={columns.length} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

export function text(value: unknown): string {
  return value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Large integers come as text: they are compared as numbers all the same. */
function asNumber(a: unknown, b: unknown): number | null {
  const [x, y] = [Number(a), Number(b)];
  return a !== null && b !== null && a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y) ? x - y : null;
}
