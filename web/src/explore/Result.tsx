/** The answer, or why there is none: waiting, cancelled, refused, unreachable. */
import { useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { isUnreachable } from "../analytics/view/question";
import { ApiError } from "../api/client";
import { type Answered, type Asked, TITLES } from "../reports/kinds";
import { ResultView } from "../reports/ResultView";
import { SaveReport } from "../reports/SaveReport";
import { csvOf, tableOf } from "../reports/table";
import { Button, Empty, Failure, Loading, Skeleton } from "../widgets/ui";
import { Icon } from "../widgets/icons";

interface Props {
  asked: Asked | null;
  missing: string;
  report: UseQueryResult<Answered>;
  queryKey: unknown[];
  controls: React.ReactNode;
  show: string;
  onPeople?: (step: number, reached: boolean) => void;
}

export function Result({ asked, missing, report, queryKey, controls, show, onPeople }: Props) {
  const queries = useQueryClient();
  const answered = report.data;
  const cancel = () => void queries.cancelQueries({ queryKey });
  const cancelled = asked !== null && report.isPending && report.fetchStatus === "idle";
  return (
    <section aria-label="Result" aria-busy={report.isFetching} className="card min-w-0 self-start overflow-hidden">
      <Loading on={report.isFetching} />
      <header className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2">
        <h2 className="min-w-0 flex-1">{TITLES[asked?.kind ?? "trends"]}</h2>
        {controls}
        {answered && (
          <Button small icon="down" onClick={() => download(answered)}>
            CSV
          </Button>
        )}
        {asked && answered && <SaveReport small label="Save" kind={asked.kind} question={asked.question} show={show} />}
      </header>
      <div className="p-4">
        {!asked ? (
          <Empty icon="chart" title={missing} />
        ) : report.isError ? (
          <Refusal error={report.error} retry={() => void report.refetch()} />
        ) : cancelled ? (
          <Empty icon="pause" title="The question was cancelled" action={<Button onClick={() => void report.refetch()}>Ask again</Button>}>
            The store stopped working on it.
          </Empty>
        ) : !answered ? (
          <Asking what={TITLES[asked.kind].toLowerCase()} onCancel={cancel} />
        ) : (
          <div className={`grid gap-4 transition-opacity ${report.isPlaceholderData ? "opacity-50" : ""}`}>
            {report.isPlaceholderData && <Slow onCancel={cancel} />}
            <Warnings answered={answered} />
            <ResultView {...answered} show={show} onPeople={report.isPlaceholderData ? undefined : onPeople} />
            <Definitions answered={answered} />
          </div>
        )}
      </div>
    </section>
  );
}

function useSeconds(): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((now) => now + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return seconds;
}

function Asking({ what, onCancel }: { what: string; onCancel: () => void }) {
  const seconds = useSeconds();
  return (
    <div className="relative">
      <Skeleton className="h-72" />
      {seconds >= 2 && (
        <div role="status" className="absolute inset-0 grid place-content-center justify-items-center gap-3 text-center">
          <p>
            The store is counting the {what}. <span className="tabular text-ink-soft" aria-hidden="true">{seconds} s</span>
          </p>
          <p className="max-w-sm text-[13px] text-ink-soft">A shorter period, one application or fewer steps and series make it faster.</p>
          <Button icon="close" onClick={onCancel}>
            Cancel question
          </Button>
        </div>
      )}
    </div>
  );
}

/** While an older answer is still shown. */
function Slow({ onCancel }: { onCancel: () => void }) {
  const seconds = useSeconds();
  if (seconds < 2) return null;
  return (
    <p role="status" className="flex items-center gap-3 rounded-lg bg-sunken px-3 py-2 text-[13px]">
      <span className="flex-1">The store is counting the changed question; below is the answer to the one before.</span>
      <Button small onClick={onCancel}>
        Cancel question
      </Button>
    </p>
  );
}

function Refusal({ error, retry }: { error: unknown; retry: () => void }) {
  if (error instanceof ApiError && error.status === 403) return <Empty icon="key" title="You may not see this">{error.message}</Empty>;
  if (error instanceof ApiError && error.status === 422) return <Empty icon="alert" title="This cannot be answered">{error.message}</Empty>;
  return (
    <div className="grid gap-2">
      <Failure error={error} retry={retry} />
      {!isUnreachable(error) && <p className="text-[13px] text-ink-soft">A shorter period, one application or fewer steps and series make a question cheaper.</p>}
    </div>
  );
}

function Warnings({ answered }: { answered: Answered }) {
  if (answered.kind === "sql" || answered.kind === "query") return null;
  const warnings = answered.answer.meta.warnings ?? [];
  return (
    <>
      {warnings.map((one) => (
        <p key={one.code + one.text} role="status" className="flex items-start gap-2 rounded-lg bg-sunken px-3 py-2 text-[13px] text-ink-soft">
          <Icon name="alert" size={15} className="mt-px" />
          {one.text}
        </p>
      ))}
    </>
  );
}

function Definitions({ answered }: { answered: Answered }) {
  if (answered.kind === "sql" || answered.kind === "query") return null;
  const all = Object.entries(answered.answer.meta.definitions);
  return (
    <details className="text-[13px] text-ink-soft">
      <summary className="w-fit rounded">What is counted</summary>
      <dl className="mt-2 grid gap-x-4 gap-y-1 sm:grid-cols-[8rem_1fr]">
        {all.map(([name, words]) => (
          <div key={name} className="contents">
            <dt className="font-medium">{name.replace(/_/g, " ")}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function download(answered: Answered): void {
  const file = URL.createObjectURL(new Blob([csvOf(tableOf(answered))], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = file;
  link.download = `${answered.kind}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(file), 10_000);
}
