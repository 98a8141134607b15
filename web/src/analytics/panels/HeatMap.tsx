import { useMemo, useState } from "react";
import { Failure } from "../../widgets/ui";
import { counted } from "../../view/format";
import { useDashboard } from "../parts/context";
import { Waiting } from "../parts/Waiting";
import { alone, asked, useAnswer } from "../view/question";

const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short", timeZone: "UTC" });
const weekdayLong = new Intl.DateTimeFormat(undefined, { weekday: "long", timeZone: "UTC" });
/** 1 is Monday: 1 January 2024 was one. */
function dayOf(number: number): Date {
  return new Date(Date.UTC(2024, 0, number));
}
const hour = (number: number) => `${String(number).padStart(2, "0")}:00`;
const HOURS = [...Array(24).keys()];
const DAYS = [1, 2, 3, 4, 5, 6, 7];

/** When visits begin: seven days by twenty-four hours, on the clock of the period. */
export default function HeatMap() {
  const { scope } = useDashboard();
  const [over, setOver] = useState<[number, number] | null>(null);
  const answer = useAnswer(asked(alone(scope), { metrics: ["visits"], dimensions: ["time:day_of_week", "time:hour_of_day"], include: { coverage: false } }));
  const counts = useMemo(() => new Map(answer.data?.results.map((row) => [`${row.dimensions[0]}.${row.dimensions[1]}`, row.metrics[0] ?? 0])), [answer.data]);
  if (answer.isError) return <Failure error={answer.error} retry={() => void answer.refetch()} />;
  if (!answer.data) return <Waiting what="hours" />;
  const most = Math.max(0, ...counts.values());
  if (!most) return <p className="grid min-h-40 place-content-center text-center text-[13px] text-ink-soft">No visits in this period.</p>;
  const busiest = [...counts].find(([, count]) => count === most)?.[0].split(".").map(Number) ?? [1, 0];
  const said = ([day, at]: number[]) => `${weekdayLong.format(dayOf(day ?? 1))}, ${hour(at ?? 0)} to ${hour((at ?? 0) + 1)}: ${counted(counts.get(`${day}.${at}`) ?? 0, "visit")}`;
  return (
    <figure className={`grid gap-2 transition-opacity ${answer.isPlaceholderData ? "opacity-50" : ""}`}>
      <div role="img" aria-label={`Visits by hour and day of the week. Busiest: ${said(busiest)}`} className="grid grid-cols-[2.2rem_repeat(24,minmax(0,1fr))] gap-px text-[10px] text-ink-soft" onPointerLeave={() => setOver(null)}>
        {DAYS.map((day) => [
          <span key={day} className="flex items-center">
            {weekday.format(dayOf(day))}
          </span>,
          ...HOURS.map((at) => {
            const count = counts.get(`${day}.${at}`) ?? 0;
            return (
              <span key={`${day}.${at}`} onPointerEnter={() => setOver([day, at])} className={`h-7 rounded-[3px] ${count ? "bg-accent" : "bg-sunken"} ${over?.[0] === day && over[1] === at ? "outline-2 outline-ink" : ""}`} style={count ? { opacity: 0.12 + (0.88 * count) / most } : undefined} />
            );
          }),
        ])}
        <span />
        {HOURS.map((at) => (
          <span key={at} className="pt-1 text-center">
            {at % 6 === 0 ? at : ""}
          </span>
        ))}
      </div>
      <figcaption className="text-[13px] text-ink-soft">{over ? said(over) : `Busiest: ${said(busiest)}`}</figcaption>
    </figure>
  );
}
