/** Figures of visits, pages and goals: of the whole period as numbers, over time as lines, else as rows with bars. */
import { lazy, Suspense, useMemo } from "react";
import { Delta } from "../../analytics/parts/Delta";
import { columnTitle, figure, type Known, useDefinitions, valueText } from "../../analytics/view/definitions";
import { bucketText } from "../../analytics/view/periods";
import type { Answer } from "../../analytics/view/question";
import { Skeleton } from "../../widgets/ui";
import type { Reports } from "../kinds";

const Chart = lazy(() => import("../../widgets/Chart"));

export default function QueryView({ answer }: Pick<Reports["query"], "answer">) {
  const { known } = useDefinitions();
  const dimensions = strings(answer.query.dimensions);
  const metrics = strings(answer.query.metrics);
  if (!dimensions.length) return <Totals answer={answer} metrics={metrics} known={known} />;
  const bucketed = dimensions.length === 1 && /^time(:(minute|hour|day|week|month|year))?$/.test(dimensions[0] ?? "");
  return bucketed ? <Lines answer={answer} metrics={metrics} known={known} /> : <Rows answer={answer} dimensions={dimensions} metrics={metrics} known={known} />;
}

interface Part {
  answer: Answer;
  metrics: string[];
  known: Known | undefined;
}

function currencyOf(answer: Answer): string | undefined {
  return answer.meta.currencies?.length === 1 ? answer.meta.currencies[0] : undefined;
}

function Totals({ answer, metrics, known }: Part) {
  const row = answer.results[0];
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-3">
      {metrics.map((name, at) => (
        <div key={name} className="grid content-start">
          <dt className="text-[13px] text-ink-soft">{known?.measure(name)?.label ?? name}</dt>
          <dd className="flex items-baseline gap-2">
            <span className={`tabular font-semibold tracking-tight ${metrics.length === 1 ? "text-4xl" : "text-2xl"}`}>{figure(known?.measure(name), row?.metrics[at], currencyOf(answer))}</span>
            {row?.comparison && <Delta measure={known?.measure(name)} change={row.comparison.change[at]} now={row.metrics[at] ?? null} before={row.comparison.metrics[at] ?? null} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Lines({ answer, metrics, known }: Part) {
  const interval = intervalOf(answer);
  const drawn = useMemo(() => {
    const compared = answer.results.some((row) => row.comparison);
    const names = metrics.map((name) => known?.measure(name)?.label ?? name);
    return {
      labels: answer.results.map((row) => bucketText(String(row.dimensions[0]), interval)),
      series: [
        ...names.map((name, at) => ({ name, values: answer.results.map((row) => row.metrics[at] ?? null) })),
        ...(compared ? names.map((name, at) => ({ name: `${name}, before`, values: answer.results.map((row) => row.comparison?.metrics[at] ?? null) })) : []),
      ],
    };
  }, [answer, metrics, known, interval]);
  return (
    <Suspense fallback={<Skeleton className="h-full min-h-32" />}>
      <Chart {...drawn} kind="line" height="h-full min-h-32" label={`${drawn.series.map((one) => one.name).join(", ")} over time`} />
    </Suspense>
  );
}

function intervalOf(answer: Answer): string {
  const named = strings(answer.query.dimensions)[0]?.split(":")[1];
  return named ?? answer.meta.intervals?.[0] ?? "day";
}

function Rows({ answer, dimensions, metrics, known }: Part & { dimensions: string[] }) {
  const most = Math.max(1, ...answer.results.map((row) => row.metrics[0] ?? 0));
  const currency = currencyOf(answer);
  return (
    <table className="w-full border-separate border-spacing-y-0.5 text-[13px]">
      <thead className="text-left text-ink-soft">
        <tr>
          <th scope="col" className="px-2 font-medium">
            {dimensions.map((name) => known?.dimension(name)?.label ?? name).join(", ")}
          </th>
          {metrics.map((name) => (
            <th key={name} scope="col" className="px-2 text-right font-medium whitespace-nowrap">
              {columnTitle(known, name)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {answer.results.map((row, at) => {
          const name = dimensions.map((dimension, index) => valueText(known, dimension, row.dimensions[index] ?? null)).join(", ");
          return (
            <tr key={at}>
              <td className="relative w-full max-w-0 rounded px-2 py-1">
                <span aria-hidden="true" className="absolute inset-y-0 left-0 rounded bg-accent-soft" style={{ width: `${(100 * Math.max(0, row.metrics[0] ?? 0)) / most}%` }} />
                <bdi className="relative block truncate" title={name}>
                  {name}
                </bdi>
              </td>
              {metrics.map((metric, index) => (
                <td key={metric} className="tabular px-2 py-1 text-right whitespace-nowrap">
                  {figure(known?.measure(metric), row.metrics[index], currency)}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function strings(given: unknown): string[] {
  return Array.isArray(given) ? given.map(String) : [];
}
