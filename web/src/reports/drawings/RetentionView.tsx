/** Who came back, as a table whose cells are the darker the more did. */
import { bucketText } from "../../analytics/view/periods";
import { number } from "../../view/format";
import type { Reports } from "../kinds";
import { groupName } from "../table";
import { heat } from "./colors";

type Group = Reports["retention"]["answer"]["results"][number];
const HEADS = { day: "Day", week: "Week", month: "Month" } as const;

export function RetentionView({ question, answer, compact }: Reports["retention"] & { compact: boolean }) {
  const [all, ...groups] = answer.results;
  if (!all) return null;
  const interval = question.interval ?? "week";
  return (
    <div className="grid min-w-0 gap-6">
      <Grid group={all} interval={interval} compact={compact} />
      {!compact && groups.length > 0 && <Means groups={groups} interval={interval} />}
    </div>
  );
}

function Grid({ group, interval, compact }: { group: Group; interval: "day" | "week" | "month"; compact: boolean }) {
  const width = Math.min(compact ? 8 : 100, Math.max(...group.cohorts.map((cohort) => cohort.counts.filter((count) => count !== null).length)));
  const cohorts = compact ? group.cohorts.slice(-6) : group.cohorts;
  const places = Array.from({ length: width }, (_, at) => at);
  return (
    <div tabIndex={0} role="group" aria-label="People who came back, by when they began" className="thin-scroll min-w-0 overflow-auto">
      <table className="border-separate border-spacing-0.5 text-[13px]">
        <thead>
          <tr className="text-ink-soft">
            <th scope="col" className="sticky left-0 z-10 bg-surface pr-3 text-left font-medium">
              Began
            </th>
            <Heads places={places} interval={interval} />
          </tr>
        </thead>
        <tbody>
          {!compact && (
            <tr>
              <th scope="row" className="sticky left-0 z-10 bg-surface pr-3 text-left font-medium">
                Mean
              </th>
              <td className="tabular px-2 text-right font-semibold">{number(group.cohorts.reduce((sum, cohort) => sum + cohort.size, 0))}</td>
              {places.map((at) => (
                <Cell key={at} rate={group.mean[at] ?? null} strong />
              ))}
            </tr>
          )}
          {cohorts.map((cohort) => (
            <tr key={cohort.label}>
              <th scope="row" className="sticky left-0 z-10 whitespace-nowrap bg-surface pr-3 text-left font-normal text-ink-soft">
                {bucketText(cohort.label, interval)}
              </th>
              <td className="tabular px-2 text-right">{number(cohort.size)}</td>
              {places.map((at) => (
                <Cell key={at} rate={cohort.rates[at] ?? null} count={cohort.counts[at] ?? null} running={cohort.running === at} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {cohorts.some((cohort) => cohort.running !== null) && !compact && <p className="mt-2 text-[13px] text-ink-soft">Cells with a dashed border are of an interval that is not over; the mean leaves them out.</p>}
    </div>
  );
}

/** The columns behind the first: people, and an interval each. */
function Heads({ places, interval }: { places: number[]; interval: "day" | "week" | "month" }) {
  return (
    <>
      <th scope="col" className="px-2 text-right font-medium">
        People
      </th>
      {places.map((at) => (
        <th key={at} scope="col" className="min-w-13 px-1 text-center font-medium">
          {at === 0 ? HEADS[interval] : ""} {at}
        </th>
      ))}
    </>
  );
}

function Cell({ rate, count = null, running = false, strong = false }: { rate: number | null; count?: number | null; running?: boolean; strong?: boolean }) {
  if (rate === null) return <td className="h-7" />;
  return (
    <td className={`tabular h-7 min-w-13 rounded px-1 text-center ${strong ? "font-semibold" : ""} ${running ? "border border-dashed border-ink-faint" : ""}`} style={{ background: heat(rate / 100) }} title={count === null ? undefined : `${number(count)} people`}>
      {rate < 10 && rate > 0 ? rate.toFixed(1) : Math.round(rate)}%
    </td>
  );
}

function Means({ groups, interval }: { groups: Group[]; interval: "day" | "week" | "month" }) {
  const width = Math.max(0, ...groups.map((group) => group.mean.filter((value) => value !== null).length));
  const places = Array.from({ length: width }, (_, at) => at);
  return (
    <section aria-label="By value" className="min-w-0">
      <h3 className="mb-2 font-medium">Mean by value of the start event</h3>
      <div tabIndex={0} role="group" aria-label="Mean by value" className="thin-scroll overflow-auto">
        <table className="border-separate border-spacing-0.5 text-[13px]">
          <thead>
            <tr className="text-ink-soft">
              <th scope="col" className="pr-3 text-left font-medium">
                Value
              </th>
              <Heads places={places} interval={interval} />
            </tr>
          </thead>
          <tbody>
            {groups.map((group, place) => (
              <tr key={place}>
                <th scope="row" className="max-w-48 truncate pr-3 text-left font-normal" title={groupName(group)}>
                  <bdi>{groupName(group)}</bdi>
                </th>
                <td className="tabular px-2 text-right">{number(group.cohorts.reduce((sum, cohort) => sum + cohort.size, 0))}</td>
                {places.map((at) => (
                  <Cell key={at} rate={group.mean[at] ?? null} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
