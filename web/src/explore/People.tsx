/** Who reached a step of a funnel, and what they did next. */
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../api/client";
import { Waiting } from "../analytics/parts/Waiting";
import { duration } from "../analytics/view/definitions";
import type { Reports } from "../reports/kinds";
import { useAllApplications } from "../shell/session";
import { counted, exactTime, middle, time } from "../view/format";
import { SidePanel } from "../widgets/SidePanel";
import { Button, Failure } from "../widgets/ui";

const PAGE = 50;

interface Props {
  question: Reports["funnel"]["question"];
  step: number;
  reached: boolean;
  onPerson: (id: string) => void;
  onClose: () => void;
}

/** Keeps the people of a step as a cohort. */
function Keep({ question, step, reached, usual }: { question: Reports["funnel"]["question"]; step: number; reached: boolean; usual: string }) {
  const queries = useQueryClient();
  const [name, setName] = useState(usual);
  const save = useMutation({
    mutationFn: () => ask(api.POST("/api/v1/analytics/cohorts", { body: { name, shared: false, funnel: { question, step, reached } } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["cohorts"] }),
  });
  if (save.data)
    return (
      <p role="status" className="mb-3 text-[13px]">
        Saved {counted(save.data.people ?? save.data.ids, "person", "people")} as the cohort <bdi className="font-medium">{save.data.name}</bdi>. Filters offer it now.
      </p>
    );
  return (
    <form
      className="mb-3 grid gap-1 text-[13px]"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <label htmlFor="cohort-name">Save them as a cohort</label>
      <span className="flex gap-2">
        <input id="cohort-name" required maxLength={100} className="field min-w-0 flex-1" value={name} onChange={(event) => setName(event.target.value)} />
        <Button type="submit" disabled={save.isPending}>
          {save.isPending ? "Saving…" : "Save cohort"}
        </Button>
      </span>
      {save.isError && <Failure error={save.error} />}
    </form>
  );
}

export function People({ question, step, reached, onPerson, onClose }: Props) {
  const { breakdown: _, ...body } = question;
  const list = useInfiniteQuery({
    queryKey: ["analytics", "funnel people", body, step, reached],
    queryFn: ({ pageParam, signal }) => ask(api.POST("/api/v1/analytics/funnel/people", { params: { query: { step, reached, limit: PAGE, offset: pageParam } }, body, signal })),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => (last.length === PAGE ? pages.length * PAGE : undefined),
    refetchOnWindowFocus: false,
  });
  const whole = useAllApplications();
  const name = question.steps[step - 1];
  const next = question.steps[step];
  const label = (one: typeof name) => one?.label || one?.name || `any ${one?.kind ?? "event"}`;
  const visits = question.unit === "visit";
  const people = list.data?.pages.flat() ?? [];
  return (
    <SidePanel title={reached ? `Reached step ${step}` : `Dropped off after step ${step}`} onClose={onClose}>
      <p className="mb-3 text-[13px] text-ink-soft">
        {visits ? "Visits" : "People"} that reached <bdi className="font-medium text-ink">{label(name)}</bdi>
        {!reached && next && (
          <>
            {" "}
            and not <bdi className="font-medium text-ink">{label(next)}</bdi>
          </>
        )}
        , the latest first.
      </p>
      {whole && people.length > 0 && <Keep key={`${step} ${reached}`} question={body} step={step} reached={reached} usual={`${reached ? "Reached" : "Dropped off after"} ${middle(label(name), 60)}`} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Waiting what="people" />}
      {list.data && !people.length && <p className="text-ink-soft">No one.</p>}
      <ol aria-label="People" className="grid gap-1">
        {people.map((one) => (
          <li key={one.unit}>
            <button type="button" onClick={() => onPerson(one.person)} className="grid w-full gap-0.5 rounded-lg border border-line px-3 py-2 text-left hover:bg-sunken">
              <span className="flex min-w-0 items-baseline gap-2">
                <bdi className="min-w-0 flex-1 truncate font-medium text-accent-ink" title={one.person}>
                  {middle(one.person, 36)}
                </bdi>
                <time dateTime={exactTime(one.reached)} className="tabular shrink-0 text-[13px] text-ink-soft">
                  {time(one.reached)}
                </time>
              </span>
              <span className="text-[13px] text-ink-soft">
                {one.next ? (
                  <>
                    Then: <bdi>{middle(one.next, 80)}</bdi>
                  </>
                ) : (
                  "Did nothing after it"
                )}
                {step > 1 && one.reached > one.began && ` · ${duration((one.reached - one.began) / 1000)} after the first step`}
              </span>
            </button>
          </li>
        ))}
      </ol>
      {list.hasNextPage && (
        <Button small className="mt-3" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {list.isFetchingNextPage ? "Loading…" : `Show ${counted(PAGE, "more person", "more people")}`}
        </Button>
      )}
    </SidePanel>
  );
}
