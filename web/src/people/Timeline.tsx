/** A person's visits with their pages and goals, as they happened. */
import type { Schemas } from "../api/client";
import { countryName, duration, money } from "../analytics/view/definitions";
import { exactTime, middle, time } from "../view/format";
import { Badge } from "../widgets/ui";

type Visit = Schemas["Visit"];

export function place(visit: Visit): string {
  return [visit.city, countryName(visit.country)].filter(Boolean).join(", ") || "–";
}

export function sourceOf(visit: Visit): string {
  return visit.source || "Direct";
}

export function Timeline({ seen, details = false }: { seen: Schemas["PersonSeen"]; details?: boolean }) {
  return (
    <>
      <ol aria-label="Visits" className="grid gap-5">
        {seen.visits.map((visit) => (
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
            {details && <p className="text-[13px] text-ink-soft">{[visit.app, place(visit), visit.device, visit.browser, visit.os].filter((each) => each && each !== "–").join(" · ")}</p>}
            <ol className="mt-1 grid gap-1 border-l-2 border-line pl-3 text-[13px]">
              {seen.steps
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
      {seen.more && <p className="mt-4 text-[13px] text-ink-soft">There are more steps than shown here. SQL has them all: derived.page_views and derived.conversions.</p>}
    </>
  );
}

export function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt className="text-ink-soft">{name}</dt>
      <dd className="min-w-0 break-words">
        <bdi>{value || "–"}</bdi>
      </dd>
    </>
  );
}
