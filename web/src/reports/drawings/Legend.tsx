import type { ReactNode } from "react";
import { seriesColor } from "./colors";

/** Which colour is what, with a figure beside each. */
export function Legend({ items, label }: { items: { name: string; color: number; value?: ReactNode }[]; label: string }) {
  return (
    <ul aria-label={label} className="flex flex-wrap gap-x-5 gap-y-1.5 text-[13px]">
      {items.map((one, at) => (
        <li key={at} className="flex min-w-0 max-w-full items-center gap-1.5">
          <span aria-hidden="true" className="size-2.5 shrink-0 rounded-sm" style={{ background: seriesColor(one.color) }} />
          <span className="min-w-0 truncate" title={one.name}>
            <bdi>{one.name}</bdi>
          </span>
          {one.value !== undefined && <span className="tabular font-semibold">{one.value}</span>}
        </li>
      ))}
    </ul>
  );
}
