import { useId, useMemo, useState } from "react";
import { briefTime, counted, number, time } from "../view/format";

export interface BarPoint {
  at: number;
  good: number;
  failed: number;
}

interface Props {
  points: BarPoint[];
  seconds: number;
  label: string;
  selected?: { from: number | null; until: number | null } | null;
  onPick?: (from: number, until: number) => void;
  /** A click where there is nothing. */
  onClear?: () => void;
  height?: number;
}

/** Stacked bars over time: good below, failed above in a hatched pattern. A click on a bar picks its interval. */
export function Bars({ points, seconds, label, selected, onPick, onClear, height = 84 }: Props) {
  const pattern = useId();
  const [over, setOver] = useState<number | null>(null);
  const most = useMemo(() => Math.max(1, ...points.map((point) => point.good + point.failed)), [points]);
  const total = points.reduce((sum, point) => sum + point.good + point.failed, 0);
  const step = 100 / Math.max(1, points.length);
  const length = seconds * 1000;
  const end = (points.at(-1)?.at ?? 0) + length;
  const hovered = over === null ? undefined : points[over];
  const faded = (point: BarPoint) => {
    if (!selected) return false;
    return (selected.from !== null && point.at + length <= selected.from) || (selected.until !== null && point.at >= selected.until);
  };
  return (
    <div className="relative">
      <svg role="img" aria-label={`${label}: ${counted(total, "event")}`} width="100%" height={height} className="block overflow-visible">
        <defs>
          <pattern id={pattern} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="5" height="5" className="fill-bad-soft" />
            <rect width="2.6" height="5" className="fill-bad" />
          </pattern>
        </defs>
        <line x1="0" x2="100%" y1={height - 0.5} y2={height - 0.5} className="stroke-line" />
        {points.map((point, i) => {
          const room = height - 4;
          const good = (point.good / most) * room;
          const bad = (point.failed / most) * room;
          const shownGood = point.good ? Math.max(good, 2) : 0;
          const shownBad = point.failed ? Math.max(bad, 2) : 0;
          return (
            <g key={point.at} opacity={faded(point) ? 0.25 : 1}>
              {shownGood > 0 && <rect x={`${i * step + step * 0.12}%`} width={`${step * 0.76}%`} y={height - shownGood} height={shownGood} rx="2" className={over === i ? "fill-accent brightness-110" : "fill-accent"} />}
              {shownBad > 0 && <rect x={`${i * step + step * 0.12}%`} width={`${step * 0.76}%`} y={height - shownGood - shownBad - (shownGood ? 1 : 0)} height={shownBad} rx="2" fill={`url(#${pattern})`} />}
              <rect
                x={`${i * step}%`}
                width={`${step}%`}
                y="0"
                height={height}
                fill="transparent"
                className={onPick ? "cursor-pointer" : ""}
                onPointerEnter={() => setOver(i)}
                onPointerLeave={() => setOver((now) => (now === i ? null : now))}
                onClick={() => (point.good + point.failed || !onClear ? onPick?.(point.at, point.at + length) : onClear())}
              />
            </g>
          );
        })}
      </svg>
      {hovered && over !== null && (
        <div className="fade-in pointer-events-none absolute bottom-full z-20 mb-1 -translate-x-1/2 whitespace-nowrap rounded-lg bg-ink px-2.5 py-1.5 text-xs text-paper shadow-float" style={{ left: `${Math.min(88, Math.max(12, (over + 0.5) * step))}%` }}>
          <div className="opacity-80">
            {time(hovered.at)} – {time(hovered.at + length)}
          </div>
          {hovered.good > 0 && <div>{number(hovered.good)} good</div>}
          {hovered.failed > 0 && <div>{number(hovered.failed)} failed</div>}
          {hovered.good + hovered.failed === 0 && <div>no events</div>}
          {onPick && hovered.good + hovered.failed > 0 && <div className="opacity-70">Click to filter</div>}
        </div>
      )}
      <div className="mt-1 flex justify-between text-[11px] text-ink-faint" aria-hidden="true">
        <span>{points[0] ? briefTime(points[0].at) : ""}</span>
        <span>{end && Math.abs(Date.now() - end) > 2 * length ? briefTime(end) : "now"}</span>
      </div>
    </div>
  );
}

/** The same without anything around it: a trend in one line of a table. */
export function Spark({ values, tone = "accent", label }: { values: number[]; tone?: "accent" | "bad"; label: string }) {
  const most = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length);
  return (
    <svg role="img" aria-label={label} width="100%" height="26" className="block">
      {values.map((value, i) => (
        <rect key={i} x={`${i * step + step * 0.1}%`} width={`${step * 0.8}%`} y={26 - Math.max(value ? 2 : 1, (value / most) * 25)} height={Math.max(value ? 2 : 1, (value / most) * 25)} rx="1" className={value ? (tone === "bad" ? "fill-bad" : "fill-accent") : "fill-line-strong"} />
      ))}
    </svg>
  );
}
