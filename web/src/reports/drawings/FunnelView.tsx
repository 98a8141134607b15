/** Steps one below another: how many reached each, how many dropped off between, and how long it took. */
import { Fragment } from "react";
import { duration } from "../../analytics/view/definitions";
import { number } from "../../view/format";
import { Icon } from "../../widgets/icons";
import type { Reports } from "../kinds";
import { groupName } from "../table";
import { seriesColor } from "./colors";
import { TimeBins } from "./TimeBins";

type Group = Reports["funnel"]["answer"]["results"][number];
interface Props {
  compact: boolean;
  onPeople?: (step: number, reached: boolean) => void;
}

export function FunnelView({ question, answer, compact, onPeople }: Reports["funnel"] & Props) {
  const [all, ...groups] = answer.results;
  if (!all) return null;
  const before = answer.comparison?.[0] ?? null;
  const who = question.unit === "visit" ? "visits" : "people";
  const last = all.steps.at(-1);
  return (
    <div className="grid min-w-0 gap-6">
      <div className="grid gap-3">
        {!compact && (
          <p className="flex flex-wrap items-baseline gap-x-6 gap-y-1">
            <Said value={percent(last?.of_first)} words={`of ${who} reached the last step`} earlier={before?.steps[0]?.count ? `${percent(before.steps.at(-1)?.of_first)} before` : undefined} />
            {all.time.median_s !== null && <Said value={duration(all.time.median_s)} words="from the first step to the last (median)" />}
            {all.open > 0 && <Said value={number(all.open)} words={`still ${all.open === 1 ? "has" : "have"} time to`} />}
          </p>
        )}
        <ol className="grid" aria-label="Steps">
          {all.steps.map((step, at) => (
            <Fragment key={at}>
              {at > 0 && <Between step={step} number={at} who={who} compact={compact} onPeople={onPeople} />}
              <li className="grid gap-1">
                <div className="flex min-w-0 items-baseline gap-2">
                  <span className="tabular w-5 shrink-0 text-right text-[13px] text-ink-soft">{at + 1}</span>
                  <span className="min-w-0 flex-1 truncate font-medium" title={step.label}>
                    <bdi>{step.label}</bdi>
                  </span>
                  {before?.steps[at] && !compact && <span className="tabular text-[13px] text-ink-soft">{number(before.steps[at].count)} before</span>}
                  {onPeople && !compact && step.count > 0 ? (
                    <button type="button" className="tabular rounded font-semibold text-accent-ink hover:underline" onClick={() => onPeople(at + 1, true)} title={`Show the ${who} who reached this step`}>
                      {number(step.count)}
                    </button>
                  ) : (
                    <span className="tabular font-semibold">{number(step.count)}</span>
                  )}
                  <span className="tabular w-14 text-right text-[13px] text-ink-soft">{percent(step.of_first)}</span>
                </div>
                <Bar share={step.of_first} before={all.steps[at - 1]?.of_first} height={compact ? "h-3" : "h-7"} />
              </li>
            </Fragment>
          ))}
        </ol>
      </div>
      {!compact && groups.length > 0 && <Groups groups={groups} earlier={answer.comparison?.slice(1) ?? null} steps={all.steps.map((step) => step.label)} who={who} />}
      {!compact && all.time.median_s !== null && <TimeBins bins={all.time.distribution} who={who} />}
    </div>
  );
}

function Said({ value, words, earlier }: { value: string; words: string; earlier?: string }) {
  return (
    <span>
      <span className="tabular text-xl font-semibold tracking-tight">{value}</span> <span className="text-[13px] text-ink-soft">{earlier ? `${words}, ${earlier}` : words}</span>
    </span>
  );
}

/** What reached the step; hatched is what was lost since the one before. */
function Bar({ share, before, height }: { share: number | null; before: number | null | undefined; height: string }) {
  const now = share ?? 0;
  const lost = Math.max(0, (before ?? now) - now);
  return (
    <svg aria-hidden="true" className={`ml-7 w-[calc(100%-1.75rem)] ${height}`} preserveAspectRatio="none" viewBox="0 0 100 10">
      <rect width="100" height="10" rx="0.6" className="fill-sunken" />
      {lost > 0 && <rect x={now} width={lost} height="10" className="fill-bad-soft" />}
      <rect width={now > 0 ? Math.max(0.4, now) : 0} height="10" rx="0.4" className="fill-accent" />
    </svg>
  );
}

function Between({ step, number: before, who, compact, onPeople }: { step: Group["steps"][number]; number: number; who: string } & Props) {
  if (compact) return <li aria-hidden="true" className="h-2" />;
  const words = `${number(step.dropped)} dropped off`;
  return (
    <li className="flex min-w-0 flex-wrap items-center gap-x-4 gap-y-0.5 py-2 pl-7 text-[13px] text-ink-soft">
      <span className="inline-flex items-center gap-1">
        <Icon name="down" size={14} /> <span className="tabular font-medium text-ink">{percent(step.of_before)}</span> went on
      </span>
      {step.dropped > 0 &&
        (onPeople ? (
          <button type="button" className="tabular rounded text-bad-ink underline decoration-dotted underline-offset-2 hover:decoration-solid" onClick={() => onPeople(before, false)} title={`Show the ${who} who stopped here`}>
            {words}
          </button>
        ) : (
          <span className="tabular text-bad-ink">{words}</span>
        ))}
      {step.median_s !== null && (
        <span>
          after {duration(step.median_s)} (median){step.p90_s !== null && `, ${duration(step.p90_s)} (90th percentile)`}
        </span>
      )}
    </li>
  );
}

function Groups({ groups, earlier, steps, who }: { groups: Group[]; earlier: (Group | null)[] | null; steps: string[]; who: string }) {
  return (
    <section aria-label="By value" className="min-w-0">
      <h3 className="mb-2 font-medium">By value of the first step</h3>
      <div tabIndex={0} role="group" aria-label="Steps by value" className="thin-scroll overflow-auto">
        <table className="w-full text-[13px]">
          <thead>
            <tr className="border-b border-line text-ink-soft">
              <th scope="col" className="py-1.5 pr-3 text-left font-medium">
                Value
              </th>
              {steps.map((step, at) => (
                <th key={at} scope="col" className="max-w-40 truncate px-3 py-1.5 text-right font-medium" title={step}>
                  {at + 1}. <bdi>{step}</bdi>
                </th>
              ))}
              <th scope="col" className="px-3 py-1.5 text-right font-medium">
                Converted
              </th>
              <th scope="col" className="py-1.5 pl-3 text-right font-medium">
                Median
              </th>
            </tr>
          </thead>
          <tbody>
            {groups.map((group, at) => (
              <tr key={at} className="border-b border-line last:border-0">
                <th scope="row" className="max-w-48 py-1.5 pr-3 text-left font-normal">
                  <span className="flex items-center gap-1.5">
                    <span aria-hidden="true" className="size-2.5 shrink-0 rounded-sm" style={{ background: seriesColor(at) }} />
                    <bdi className="truncate" title={groupName(group)}>
                      {groupName(group)}
                    </bdi>
                  </span>
                </th>
                {group.steps.map((step, place) => (
                  <td key={place} className="tabular whitespace-nowrap px-3 py-1.5 text-right">
                    {number(step.count)} {place > 0 && <span className="text-ink-soft">{percent(step.of_before)}</span>}
                  </td>
                ))}
                <td className="tabular px-3 py-1.5 text-right font-semibold">
                  {percent(group.steps.at(-1)?.of_first)}
                  {earlier && <span className="block text-xs font-normal text-ink-soft">{earlier[at] ? `${percent(earlier[at].steps.at(-1)?.of_first)} before` : `no ${who} before`}</span>}
                </td>
                <td className="tabular py-1.5 pl-3 text-right">{group.time.median_s === null ? "–" : duration(group.time.median_s)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : `${value < 10 && value > 0 ? value.toFixed(1) : Math.round(value)}%`;
}
