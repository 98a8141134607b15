import { SHOWS } from "../reports/shows";
import { intervalsOf } from "./intervals";
import type { ExploreView, Steer } from "./state";

/** How a trend is drawn, and in which intervals it is cut. */
export function Shows({ view, change }: { view: ExploreView; change: Steer }) {
  return (
    <>
      <select aria-label="Interval" className="field text-[13px]" value={view.option("interval")} onChange={(event) => change({ interval: event.target.value || undefined })}>
        <option value="">Usual interval</option>
        {intervalsOf(view.analytics.period).map((name) => (
          <option key={name} value={name}>
            By {name}
          </option>
        ))}
      </select>
      <select aria-label="Show as" className="field text-[13px]" value={view.option("show") || SHOWS[0].id} onChange={(event) => change({ show: event.target.value === SHOWS[0].id ? undefined : event.target.value })}>
        {SHOWS.map((one) => (
          <option key={one.id} value={one.id}>
            {one.label}
          </option>
        ))}
      </select>
    </>
  );
}
