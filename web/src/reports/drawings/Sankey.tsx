/** A Sankey diagram as SVG: a column for each step, a band for each way, as wide as people went it. */
import { useMemo, useState } from "react";
import { counted, middle } from "../../view/format";
import type { Reports } from "../kinds";
import { nodeName } from "../table";

type Answer = Reports["journeys"]["answer"];
type Node = Answer["nodes"][number];

const BAR = 10;
const GAP = 14;
const LEAST = 3;

interface Placed {
  node: Node;
  x: number;
  y: number;
  height: number;
}
interface Band {
  id: string;
  source: string;
  target: string;
  words: string;
  path: string;
  width: number;
}

/**
 * Columns from left to right (backwards from right to left, so that time runs to the right). People of links are
 * distinct ones and may add up to more than their node: its bands are then narrowed to fit.
 */
function layOut(answer: Answer, back: boolean, width: number, height: number): { nodes: Placed[]; bands: Band[] } {
  const steps = Math.max(...answer.nodes.map((node) => node.step)) + 1;
  const columns = Array.from({ length: steps }, (_, step) => answer.nodes.filter((node) => node.step === step));
  const label = Math.min(170, width / steps - 2 * BAR);
  const apart = steps > 1 ? (width - label - BAR) / (steps - 1) : 0;
  const unit = Math.min(...columns.map((nodes) => (height - GAP * (nodes.length - 1)) / Math.max(1, nodes.reduce((sum, node) => sum + node.people, 0))));
  const placed = new Map<string, Placed>();
  columns.forEach((nodes, step) => {
    let y = 0;
    for (const node of nodes) {
      const tall = Math.max(LEAST, node.people * unit);
      placed.set(node.id, { node, x: (back ? steps - 1 - step : step) * apart, y, height: tall });
      y += tall + GAP;
    }
  });
  const scale = (links: Answer["links"], at: Placed) => at.height / Math.max(at.node.people, links.reduce((sum, link) => sum + link.people, 0), 1);
  const [out, into] = [new Map<string, number>(), new Map<string, number>()];
  const order = new Map(answer.nodes.map((node, at) => [node.id, at]));
  const links = [...answer.links].sort((a, b) => (order.get(a.source) ?? 0) - (order.get(b.source) ?? 0) || (order.get(a.target) ?? 0) - (order.get(b.target) ?? 0));
  const bands = links.flatMap((link): Band[] => {
    const [from, to] = [placed.get(link.source), placed.get(link.target)];
    if (!from || !to) return [];
    const outward = link.people * scale(answer.links.filter((one) => one.source === link.source), from);
    const inward = link.people * scale(answer.links.filter((one) => one.target === link.target), to);
    const wide = Math.max(1, Math.min(outward, inward));
    const y1 = from.y + (out.get(link.source) ?? 0) + wide / 2;
    const y2 = to.y + (into.get(link.target) ?? 0) + wide / 2;
    out.set(link.source, (out.get(link.source) ?? 0) + outward);
    into.set(link.target, (into.get(link.target) ?? 0) + inward);
    const [left, right] = back ? [to, from] : [from, to];
    const [yLeft, yRight] = back ? [y2, y1] : [y1, y2];
    const [x1, x2] = [left.x + BAR, right.x];
    const half = (x1 + x2) / 2;
    return [{ id: `${link.source}>${link.target}`, source: link.source, target: link.target, words: `${nodeName(left.node)} → ${nodeName(right.node)}: ${counted(link.people, "person", "people")}`, path: `M${x1},${yLeft} C${half},${yLeft} ${half},${yRight} ${x2},${yRight}`, width: wide }];
  });
  return { nodes: [...placed.values()], bands };
}

export function Sankey({ answer, back, compact }: { answer: Answer; back: boolean; compact: boolean }) {
  const most = Math.max(...Array.from({ length: 11 }, (_, step) => answer.nodes.filter((node) => node.step === step).length));
  const steps = Math.max(...answer.nodes.map((node) => node.step)) + 1;
  const [width, height] = [Math.max(620, steps * 210), compact ? 240 : Math.max(300, most * 52)];
  const { nodes, bands } = useMemo(() => layOut(answer, back, width, height), [answer, back, width, height]);
  const [over, setOver] = useState<string | null>(null);
  const lit = (band: Band) => over === null || band.id === over || band.source === over || band.target === over;
  const chosen = bands.find((band) => band.id === over)?.words;
  const room = Math.max(height, ...nodes.map((one) => one.y + Math.max(one.height, 30)));
  return (
    <figure className="grid min-w-0 gap-1">
      <div tabIndex={0} role="group" aria-label="Diagram of the ways" className="thin-scroll overflow-auto">
        <svg role="img" aria-label={`Ways of ${counted(answer.people, "person", "people")} in ${steps} steps. The list has the same.`} viewBox={`0 0 ${width} ${room}`} className={compact ? "w-full" : "w-full min-w-[38rem]"} onPointerLeave={() => setOver(null)}>
          {bands.map((band) => (
            <path key={band.id} d={band.path} fill="none" strokeWidth={band.width} onPointerEnter={() => setOver(band.id)} className={`stroke-accent transition-opacity ${lit(band) ? (over === null ? "opacity-25" : "opacity-50") : "opacity-8"}`} />
          ))}
          {nodes.map(({ node, x, y, height: tall }) => (
            <g key={node.id} onPointerEnter={() => setOver(node.id)}>
              <rect x={x} y={y} width={BAR} height={tall} rx="2" className={node.what === "end" || node.what === "other" ? "fill-ink-faint" : "fill-accent"} />
              <text x={x + BAR + 6} y={y + Math.min(tall / 2, 14) + 2} className="pointer-events-none fill-ink text-[13px]" paintOrder="stroke" stroke="var(--surface)" strokeWidth="3" strokeLinejoin="round">
                <title>{nodeName(node)}</title>
                {middle(nodeName(node), 22)}
                <tspan className="fill-ink-soft" dx="6">
                  {counted(node.people, "", "").trim()}
                </tspan>
              </text>
            </g>
          ))}
        </svg>
      </div>
      {!compact && <figcaption className="min-h-5 truncate text-[13px] text-ink-soft">{chosen ?? "Point at a band to see who went that way."}</figcaption>}
    </figure>
  );
}
