import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, ask, type Schemas } from "../../api/client";
import { Badge, Button, Failure } from "../../widgets/ui";
import { SidePanel } from "../../widgets/SidePanel";
import { counted, exactTime, middle, number, time } from "../../view/format";
import { useDashboard } from "../parts/context";
import { Waiting } from "../parts/Waiting";
import { countryName, duration, money } from "../view/definitions";
import { alone } from "../view/question";

type Visit = Schemas["Visit"];
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

function sourceOf(visit: Visit): string {
  return visit.source || "Direct";
}

function place(visit: Visit): string {
  return [visit.city, countryName(visit.country)].filter(Boolean).join(", ") || "–";
}

/** One visitor's visits with their pages and goals, as they happened. */
function Person({ id, onClose }: { id: string; onClose: () => void }) {
  const seen = useQuery({ queryKey: ["analytics", "person", id], queryFn: () => ask(api.GET("/api/v1/analytics/persons/{person_id}", { params: { path: { person_id: id } } })) });
  const newest = seen.data?.visits[0];
  const total = seen.data?.visits.length ?? 0;
  return (
    <SidePanel title="Visitor" onClose={onClose}>
      {seen.isError && <Failure error={seen.error} retry={() => void seen.refetch()} />}
      {seen.isPending && <Waiting what="this visitor's visits" />}
      {seen.data && !newest && <p className="text-ink-soft">This visitor has no visits in the last 91 days.</p>}
      {newest && (
        <dl className="mb-5 grid grid-cols-[6rem_1fr] gap-x-3 gap-y-1 text-[13px]">
          {newest.user_id && <Fact name="User ID" value={newest.user_id} />}
          <Fact name="Visitor" value={id} />
          <Fact name="Visits" value={`${total === 100 ? "the last " : ""}${number(total)} in 91 days`} />
          <Fact name="Place" value={place(newest)} />
          <Fact name="Device" value={[newest.device, newest.browser, newest.os].filter(Boolean).join(", ")} />
        </dl>
      )}
      <ol className="grid gap-5">
        {seen.data?.visits.map((visit) => (
          <li key={visit.session_id}>
            <h3 className="flex flex-wrap items-baseline gap-x-2 font-medium">
              <time dateTime={exactTime(visit.start)}>{time(visit.start)}</time>
              <span className="text-[13px] font-normal text-ink-soft">
                {sourceOf(visit)}
                {visit.campaign && ` · ${visit.campaign}`} · {duration(visit.duration)}
              </span>
              {visit.is_new && <Badge tone="accent">first visit</Badge>}
              {visit.is_bounce && <Badge>bounced</Badge>}
            </h3>
            <ol className="mt-1 grid gap-1 border-l-2 border-line pl-3 text-[13px]">
              {seen.data.steps
                .filter((step) => step.session_id === visit.session_id)
                .map((step, at) => (
                  <li key={at} className="flex gap-2">
                    <time dateTime={exactTime(step.at)} className="tabular shrink-0 text-ink-soft">
                      {new Date(step.at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}
                    </time>
                    {step.kind === "goal" ? (
                      <span className="min-w-0">
                        <Badge tone="good">goal</Badge> <bdi>{middle(step.what, 200)}</bdi> {step.value !== null && step.value > 0 && <span className="tabular text-good-ink">{money(step.value, step.currency || undefined, false)}</span>}
                      </span>
                    ) : (
                      <span className="min-w-0" title={middle(step.title, 300)}>
                        <bdi className="break-words">{middle(step.what, 200)}</bdi> {step.engaged ? <span className="text-ink-soft">{duration(step.engaged)}</span> : null}
                      </span>
                    )}
                  </li>
                ))}
            </ol>
          </li>
        ))}
      </ol>
      {seen.data?.more && <p className="mt-4 text-[13px] text-ink-soft">There are more steps than shown here. SQL has them all: derived.page_views and derived.conversions.</p>}
    </SidePanel>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt className="text-ink-soft">{name}</dt>
      <dd className="min-w-0 break-words">
        <bdi>{value || "–"}</bdi>
      </dd>
    </>
  );
}
