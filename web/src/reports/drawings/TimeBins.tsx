import { duration } from "../../analytics/view/definitions";
import { counted, number } from "../../view/format";
import type { Reports } from "../kinds";

type Bin = Reports["funnel"]["answer"]["results"][number]["time"]["distribution"][number];

/** How long people took from the first step to the last. */
export function TimeBins({ bins, who }: { bins: Bin[]; who: string }) {
  const first = bins.findIndex((bin) => bin.count);
  const last = bins.findLastIndex((bin) => bin.count);
  const shown = bins.slice(Math.max(0, first), last + 1);
  const most = Math.max(1, ...shown.map((bin) => bin.count));
  return (
    <section aria-label="Time to convert">
      <h3 className="mb-2 font-medium">Time from the first step to the last</h3>
      <ul className="grid gap-1 text-[13px]">
        {shown.map((bin) => (
          <li key={bin.start} className="grid grid-cols-[7.5rem_1fr_3.5rem] items-center gap-2">
            <span className="text-ink-soft">{bin.end === null ? `${long(bin.start)} or more` : `${long(bin.start)} to ${long(bin.end)}`}</span>
            <svg role="img" aria-label={counted(bin.count, who === "visits" ? "visit" : "person", who)} className="h-4 w-full" preserveAspectRatio="none" viewBox="0 0 100 10">
              <rect width={(100 * bin.count) / most} height="10" rx="0.5" className="fill-accent" />
            </svg>
            <span className="tabular text-right">{number(bin.count)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function long(seconds: number): string {
  return seconds >= 86_400 ? `${seconds / 86_400}d` : seconds >= 3_600 ? `${seconds / 3_600}h` : duration(seconds);
}
