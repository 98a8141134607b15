import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { Badge, Button, Failure } from "../../widgets/ui";
import { counted, exactTime, middle, number, time } from "../../view/format";
import { useDashboard } from "../parts/context";
import { Waiting } from "../parts/Waiting";
import { duration } from "../view/definitions";
import { alone } from "../view/question";
import { place, sourceOf } from "../../people/Timeline";
import { Person } from "./Person";

const PAGE = 20;

/** Single visits, newest first, for those who may see persons; a click shows what that visitor did. */
export default function Visits() {
  const { view, scope, change } = useDashboard();
  const { include, ...rest } = alone(scope);
  const list = useInfiniteQuery({
    queryKey: ["analytics", "visits", rest, include?.today],
    queryFn: ({ pageParam, signal }) => ask(api.POST("/api/v1/analytics/visits", { body: { ...rest, include: { today: include?.today ?? false }, metrics: ["visits"], pagination: { limit: PAGE, offset: pageParam } }, signal })),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => (last.length === PAGE ? pages.length * PAGE : undefined),
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
  });
  if (list.isError) return <Failure error={list.error} retry={() => void list.refetch()} />;
  if (!list.data) return <Waiting what="visits" />;
  const visits = list.data.pages.flat();
  return (
    <>
      {!visits.length ? (
        <p className="grid min-h-24 place-content-center text-center text-[13px] text-ink-soft">No visits in this period.</p>
      ) : (
        <div tabIndex={0} role="group" aria-label="List of visits" className={`thin-scroll -mx-4 max-h-[32rem] overflow-auto ${list.isPlaceholderData ? "opacity-60" : ""}`}>
          <table className="w-full text-[13px]">
            <thead className="sticky top-0 bg-surface text-left text-ink-soft">
              <tr>
                {["Began", "Visitor", "Source", "Pages", "Place", "Device"].map((title) => (
                  <th key={title} scope="col" className="px-3 py-1.5 font-medium first:pl-4">
                    {title}
                  </th>
                ))}
                <th scope="col" className="px-3 py-1.5 pr-4 text-right font-medium">
                  Took
                </th>
              </tr>
            </thead>
            <tbody>
              {visits.map((visit) => (
                <tr key={visit.session_id} className="border-t border-line hover:bg-sunken">
                  <td className="tabular whitespace-nowrap px-3 py-1.5 pl-4" title={exactTime(visit.start)}>
                    {time(visit.start)}
                  </td>
                  <td className="max-w-40 px-3 py-1.5">
                    <button type="button" onClick={() => change({ person: visit.person_id }, { push: true })} className="block max-w-full truncate rounded text-accent-ink hover:underline" title={visit.person_id}>
                      <bdi>{visit.user_id ? middle(visit.user_id, 40) : visit.person_id.slice(0, 8)}</bdi>
                    </button>
                  </td>
                  <td className="max-w-44 truncate px-3 py-1.5">
                    <bdi>{sourceOf(visit)}</bdi> {visit.channel !== sourceOf(visit) && <span className="text-ink-soft">{visit.channel}</span>}
                  </td>
                  <td className="max-w-64 truncate px-3 py-1.5" title={middle(visit.entry_page, 300)}>
                    <span className="tabular">{number(visit.views)}</span> <bdi className="text-ink-soft">{middle(visit.entry_page, 200)}</bdi>
                    {visit.conversions > 0 && <Badge tone="good">{counted(visit.conversions, "goal")}</Badge>}
                  </td>
                  <td className="max-w-40 truncate px-3 py-1.5">{place(visit)}</td>
                  <td className="max-w-40 truncate px-3 py-1.5">{[visit.browser, visit.os].filter(Boolean).join(", ")}</td>
                  <td className="tabular whitespace-nowrap px-3 py-1.5 pr-4 text-right">{duration(visit.duration)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasNextPage && (
        <Button small className="mx-auto" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {list.isFetchingNextPage ? "Loading…" : "Show older visits"}
        </Button>
      )}
      {view.person && <Person id={view.person} onClose={() => change({ person: undefined })} />}
    </>
  );
}
