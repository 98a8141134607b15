/** The people of a cohort, those seen last first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Waiting } from "../analytics/parts/Waiting";
import { api, ask } from "../api/client";
import { counted, exactTime, middle, time } from "../view/format";
import { Button, Failure } from "../widgets/ui";

const PAGE = 50;

export function Members({ id, onPerson }: { id: string; onPerson: (id: string) => void }) {
  const list = useInfiniteQuery({
    queryKey: ["cohorts", "people", id],
    queryFn: ({ pageParam, signal }) => ask(api.GET("/api/v1/analytics/cohorts/{cohort_id}/people", { params: { path: { cohort_id: id }, query: { limit: PAGE, offset: pageParam } }, signal })),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => (last.length === PAGE ? pages.length * PAGE : undefined),
    refetchOnWindowFocus: false,
  });
  const people = list.data?.pages.flat() ?? [];
  return (
    <>
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Waiting what="people" />}
      {list.data && !people.length && <p className="text-ink-soft">No one.</p>}
      <ol aria-label="People" className="grid gap-1">
        {people.map((one) => (
          <li key={one.person_id}>
            <button type="button" onClick={() => onPerson(one.person_id)} className="flex w-full min-w-0 items-baseline gap-2 rounded-lg border border-line px-3 py-2 text-left hover:bg-sunken">
              <bdi className="min-w-0 flex-1 truncate font-medium text-accent-ink" title={one.person_id}>
                {middle(one.person_id, 36)}
              </bdi>
              <span className="tabular shrink-0 text-[13px] text-ink-soft">
                {counted(one.visits, "visit")}, last <time dateTime={exactTime(one.last_seen)}>{time(one.last_seen)}</time>
              </span>
            </button>
          </li>
        ))}
      </ol>
      {list.hasNextPage && (
        <Button small className="justify-self-start" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {list.isFetchingNextPage ? "Loading…" : `Show ${counted(PAGE, "more person", "more people")}`}
        </Button>
      )}
    </>
  );
}
