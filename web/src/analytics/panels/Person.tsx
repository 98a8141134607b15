import { useQuery } from "@tanstack/react-query";
import { api, ask, type Schemas } from "../../api/client";
import { Badge, Failure } from "../../widgets/ui";
import { SidePanel } from "../../widgets/SidePanel";
import { exactTime, middle, number, time } from "../../view/format";
import { Waiting } from "../parts/Waiting";
import { countryName, duration, money } from "../view/definitions";

type Visit = Schemas["Visit"];

export function place(visit: Visit): string {
  return [visit.city, countryName(visit.country)].filter(Boolean).join(", ") || "–";
}

export function sourceOf(visit: Visit): string {
  return visit.source || "Direct";
}

/** One visitor's visits with their pages and goals, as they happened. */
export function Person({ id, onClose }: { id: string; onClose: () => void }) {
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
