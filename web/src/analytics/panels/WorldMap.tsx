/** Where visitors are, drawn from data that is part of this console: nothing is asked of another host. */
import { geoNaturalEarth1, geoPath } from "d3-geo";
import { iso31661NumericToAlpha2 } from "iso-3166";
import { useMemo, useState } from "react";
import { useNavigate } from "@tanstack/react-router";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/countries-110m.json";
import { useDashboard } from "../parts/context";
import { countryName, figure } from "../view/definitions";
import { says, toggled } from "../view/filters";
import { alone, asked, useAnswer } from "../view/question";
import { filterTexts, withTab } from "../view/state";
import type { BodyProps } from "./table";

const WIDTH = 800;
const HEIGHT = 400;

/** Countries with their two-letter codes. The poles say nothing and take room. */
function shapes(): { code: string; path: string }[] {
  const topology = world as unknown as Topology<{ countries: GeometryCollection }>;
  const all = feature(topology, topology.objects.countries).features.filter((one) => one.id !== "010");
  const draw = geoPath(geoNaturalEarth1().fitSize([WIDTH, HEIGHT], { type: "FeatureCollection", features: all })).digits(1);
  return all.map((one) => ({ code: iso31661NumericToAlpha2[String(one.id).padStart(3, "0")] ?? "", path: draw(one) ?? "" }));
}

export default function WorldMap({ panel }: BodyProps) {
  const { view, scope, known } = useDashboard();
  const navigate = useNavigate();
  const countries = useMemo(() => shapes(), []);
  const [over, setOver] = useState<string | null>(null);
  const tab = view.tabs[panel.id] ?? "country";
  const answer = useAnswer(asked(alone(scope), { metrics: ["visitors"], dimensions: ["visit:country"], include: { coverage: false } }), { enabled: tab === "country" });
  const visitors = useMemo(() => new Map(answer.data?.results.map((row) => [String(row.dimensions[0] ?? ""), row.metrics[0] ?? 0])), [answer.data]);
  if (tab !== "country" || !visitors.size) return null;
  const most = Math.max(1, ...[...visitors].filter(([code]) => code).map(([, count]) => count));
  const count = (code: string) => visitors.get(code) ?? 0;
  // the eye tells areas apart by their order more than by their size
  const strength = (value: number) => 0.18 + 0.82 * Math.sqrt(value / most);
  const pick = (code: string) => void navigate({ to: ".", hash: true, search: (now: Record<string, unknown>) => ({ ...now, f: filterTexts(toggled(view.filters, "visit:country", code)), tab: withTab(view.tabs, panel.id, says(view.filters, "visit:country", code) ? "country" : "region") }), resetScroll: false });
  const named = [...visitors].filter(([code]) => code).length;
  return (
    <figure className="relative">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`World map: visitors of ${named} ${named === 1 ? "country" : "countries"}. The list below has the figures.`} className="w-full">
        {countries.map(({ code, path }, at) => {
          const value = count(code);
          return <path key={at} d={path} onPointerEnter={() => setOver(code)} onPointerLeave={() => setOver(null)} onClick={value ? () => pick(code) : undefined} className={`stroke-surface ${value ? "cursor-pointer fill-accent" : "fill-line"} ${over === code && code ? "brightness-115" : ""}`} fillOpacity={value ? strength(value) : 1} strokeWidth="0.6" />;
        })}
      </svg>
      <figcaption aria-hidden="true" className="pointer-events-none absolute bottom-0 left-0 rounded-md bg-raised/90 px-2 py-0.5 text-[13px]">
        {over ? `${countryName(over)}: ${figure(known?.measure("visitors"), count(over), undefined, false)} visitors` : ""}
      </figcaption>
    </figure>
  );
}
