import { useState } from "react";
import { Failure } from "../../widgets/ui";
import { useDashboard } from "../parts/context";
import { Waiting } from "../parts/Waiting";
import { figure } from "../view/definitions";
import { alone, asked, type Metric, useAnswer } from "../view/question";
import { middle } from "../../view/format";

interface Vital {
  id: string;
  p75: Metric;
  share: Metric;
  /** Google's bounds: good up to the first, poor above the second. */
  good: number;
  poor: number;
}

const VITALS: Vital[] = [
  { id: "LCP", p75: "lcp_p75", share: "lcp_good", good: 2500, poor: 4000 },
  { id: "INP", p75: "inp_p75", share: "inp_good", good: 200, poor: 500 },
  { id: "CLS", p75: "cls_p75", share: "cls_good", good: 0.1, poor: 0.25 },
  { id: "FCP", p75: "fcp_p75", share: "fcp_good", good: 1800, poor: 3000 },
  { id: "TTFB", p75: "ttfb_p75", share: "ttfb_good", good: 800, poor: 1800 },
];

function verdict(vital: Vital, value: number | null): { text: string; ink: string; fill: string } {
  if (value === null) return { text: "not measured", ink: "text-ink-soft", fill: "bg-line-strong" };
  if (value <= vital.good) return { text: "good", ink: "text-good-ink", fill: "bg-good" };
  if (value <= vital.poor) return { text: "needs improvement", ink: "text-warn-ink", fill: "bg-warn-ink" };
  return { text: "poor", ink: "text-bad-ink", fill: "bg-bad" };
}

/** How fast pages feel: three quarters of the page views were at least this good. */
export default function Vitals() {
  const { scope, known } = useDashboard();
  const [chosen, setChosen] = useState("LCP");
  const all = useAnswer(asked(alone(scope), { metrics: [...VITALS.flatMap((one) => [one.p75, one.share]), "vitals_samples"], include: { coverage: false } }));
  const vital = VITALS.find((one) => one.id === chosen) ?? VITALS[0];
  const samples = all.data?.results[0]?.metrics.at(-1) ?? 0;
  const pages = useAnswer(asked(alone(scope), { metrics: ["vitals_samples", vital?.p75 ?? "lcp_p75", vital?.share ?? "lcp_good"], dimensions: ["event:page"], pagination: { limit: 10 }, include: { coverage: false } }), { enabled: samples > 0 });
  if (all.isError) return <Failure error={all.error} retry={() => void all.refetch()} />;
  if (!all.data || !known || !vital) return <Waiting rows={5} what="measurements" />;
  if (!samples) {
    return (
      <p className="grid min-h-24 place-content-center px-6 text-center text-[13px] text-ink-soft">
        Nothing was measured in this period. Add Snowplow&apos;s web vitals plug-in to your tracker and the loading times of your pages appear here.
      </p>
    );
  }
  const row = all.data.results[0];
  return (
    <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
      <div role="group" aria-label="Web vitals" className="grid content-start gap-1">
        {VITALS.map((one, at) => {
          const value = row?.metrics[2 * at] ?? null;
          const share = row?.metrics[2 * at + 1] ?? null;
          const { text, ink, fill } = verdict(one, value);
          const measure = known.measure(one.p75);
          return (
            <button key={one.id} type="button" aria-pressed={one.id === chosen} title={measure?.definition} onClick={() => setChosen(one.id)} className={`grid grid-cols-[1fr_auto] gap-x-3 gap-y-1 rounded-lg px-3 py-2 text-left hover:bg-sunken ${one.id === chosen ? "bg-accent-soft" : ""}`}>
              <span className="truncate">
                {measure?.label} <span className="text-ink-soft">{one.id}</span>
              </span>
              <span className={`tabular font-semibold ${ink}`}>
                {figure(measure, value)} <span className="text-xs font-medium">{text}</span>
              </span>
              <span className="col-span-2 h-1.5 overflow-hidden rounded-full bg-line" aria-hidden="true">
                <span className={`block h-full rounded-full ${fill}`} style={{ width: `${share ?? 0}%` }} />
              </span>
              <span className="col-span-2 text-xs text-ink-soft">{share === null ? "" : `${figure(known.measure(one.share), share)} of page views are good`}</span>
            </button>
          );
        })}
      </div>
      <div className="min-w-0">
        <h3 className="mb-1 text-[13px] text-ink-soft">{vital.id} by page, three quarters of the page views</h3>
        {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
        <table className="w-full text-[13px]">
          <thead className="sr-only">
            <tr>
              <th scope="col">Page</th>
              <th scope="col">Measurements</th>
              <th scope="col">{vital.id}</th>
            </tr>
          </thead>
          <tbody>
            {pages.data?.results.map((one) => {
              const value = one.metrics[1] ?? null;
              const page = String(one.dimensions[0] ?? "(not set)");
              return (
                <tr key={page} className="border-b border-line last:border-b-0">
                  <td className="w-full max-w-0 truncate py-1.5" title={middle(page, 300)}>
                    <bdi>{middle(page, 300)}</bdi>
                  </td>
                  <td className="tabular whitespace-nowrap px-3 text-right text-ink-soft">{figure(known.measure("vitals_samples"), one.metrics[0])}</td>
                  <td className={`tabular whitespace-nowrap text-right font-medium ${verdict(vital, value).ink}`}>{figure(known.measure(vital.p75), value)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}
