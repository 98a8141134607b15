/** What the alert would have done over the days that are stored. */
import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { api, ask } from "../../api/client";
import { briefTime, counted, time } from "../../view/format";
import { Button, Failure, Skeleton } from "../../widgets/ui";
import type { Rule } from "./kinds";

const Chart = lazy(() => import("../../widgets/Chart"));

export function Trial({ rule, disabled }: { rule: Omit<Rule, "id">; disabled: boolean }) {
  const [days, setDays] = useState(28);
  const [key, setKey] = useState("");
  const trial = useMutation({ mutationFn: () => ask(api.POST("/api/v1/alerts/preview", { body: { alert: { ...rule, name: rule.name || "preview", channels: [] }, days } })) });
  const series = trial.data?.series.find((one) => one.key === key) ?? trial.data?.series[0];
  return (
    <section aria-label="Try on history" className="grid gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <Button icon="play" disabled={disabled || trial.isPending} onClick={() => trial.mutate()}>
          Try on history
        </Button>
        <select aria-label="How far back" className="field" value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {[1, 2, 7, 14, 28].map((one) => (
            <option key={one} value={one}>
              {counted(one, "day")}
            </option>
          ))}
        </select>
      </div>
      {trial.isPending && <Skeleton className="h-40" />}
      {trial.isError && <Failure error={trial.error} />}
      {trial.data && (
        <>
          <p>
            Would have fired <strong>{counted(trial.data.incidents.length, "time")}</strong> in {counted(trial.data.checks, "check")}.
          </p>
          <ul className="grid gap-1 text-[13px]">
            {trial.data.incidents.slice(0, 20).map((one) => (
              <li key={`${one.key} ${one.started_at}`} className="break-words">
                <span className="text-ink-soft">
                  {time(one.started_at)} to {one.resolved_at ? time(one.resolved_at) : "now"}
                </span>
                <br />
                {one.summary}
              </li>
            ))}
          </ul>
          {series && (
            <>
              {trial.data.series.length > 1 && (
                <select aria-label="Shown" className="field" value={series.key} onChange={(event) => setKey(event.target.value)}>
                  {trial.data.series.map((one) => (
                    <option key={one.key} value={one.key}>
                      {one.key || "all"}
                    </option>
                  ))}
                </select>
              )}
              <Suspense fallback={<Skeleton className="h-80" />}>
                <Chart
                  kind="line"
                  label={`Values of ${series.key || "the alert"}, and what is usual`}
                  labels={series.points.map((one) => briefTime(one.at))}
                  series={[
                    { name: "value", values: series.points.map((one) => one.value ?? null) },
                    { name: "usual, at most", values: series.points.map((one) => one.high ?? null) },
                    { name: "usual, at least", values: series.points.map((one) => one.low ?? null) },
                  ].filter((one) => one.values.some((value) => value !== null))}
                />
              </Suspense>
            </>
          )}
        </>
      )}
    </section>
  );
}
