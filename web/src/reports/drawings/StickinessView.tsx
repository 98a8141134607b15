/** People by the number of days, weeks or months in which they do something. */
import { useMemo, useState } from "react";
import { counted } from "../../view/format";
import { Segmented } from "../../widgets/ui";
import type { Reports } from "../kinds";
import SeriesChart, { type Drawn } from "./SeriesChart";

export default function StickinessView({ question, answer, compact }: Reports["stickiness"] & { compact: boolean }) {
  const [counts, setCounts] = useState<"people" | "at_least">("people");
  const interval = question.interval ?? "day";
  const rows = answer.results;
  const series = useMemo((): Drawn[] => [{ name: "People", values: rows.map((row) => row[counts]), color: 0 }], [rows, counts]);
  const [labels, titles] = useMemo(() => [rows.map((row) => String(row.intervals)), rows.map((row) => `${counted(row.intervals, interval)}${counts === "at_least" ? " or more" : ""}`)], [rows, interval, counts]);
  const all = rows[0]?.at_least ?? 0;
  const once = rows[0]?.people ?? 0;
  return (
    <figure className="grid min-w-0 gap-3">
      {!compact && (
        <div className="flex flex-wrap items-center gap-3">
          <Segmented
            label="People"
            value={counts}
            onChange={setCounts}
            options={[
              { id: "people", label: `In exactly so many ${interval}s` },
              { id: "at_least", label: "In as many or more" },
            ]}
          />
        </div>
      )}
      <SeriesChart labels={labels} titles={titles} series={series} kind="bar" height={compact ? "h-40" : "h-72"} label={`People by the number of ${interval}s: ${once} of ${counted(all, "person", "people")} in one only.`} />
      <figcaption className="text-[13px] text-ink-soft">
        {counted(all, "person", "people")} did it. {all > 0 && `${Math.round((100 * (all - once)) / all)}% of them in more than one ${interval}.`}
      </figcaption>
    </figure>
  );
}
