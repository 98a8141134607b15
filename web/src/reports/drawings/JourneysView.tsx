/** Ways that people take: a Sankey diagram, and the same as a list, which is what a phone shows. */
import { useState } from "react";
import { number } from "../../view/format";
import { Segmented } from "../../widgets/ui";
import type { Reports } from "../kinds";
import { nodeName } from "../table";
import { Sankey } from "./Sankey";

type Answer = Reports["journeys"]["answer"];

export function JourneysView({ question, answer, compact }: Reports["journeys"] & { compact: boolean }) {
  const [list, setList] = useState(false);
  const back = question.direction === "backwards";
  return (
    <div className="grid min-w-0 gap-3">
      {!compact && (
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p className="text-[13px] text-ink-soft">
            <span className="tabular text-xl font-semibold tracking-tight text-ink">{number(answer.people)}</span> {answer.people === 1 ? "person" : "people"} went such a way. Someone who goes the same way twice counts once.
          </p>
          <div className="max-md:hidden">
            <Segmented
              label="Show as"
              value={list ? "list" : "diagram"}
              onChange={(next) => setList(next === "list")}
              options={[
                { id: "diagram", label: "Diagram" },
                { id: "list", label: "List" },
              ]}
            />
          </div>
        </div>
      )}
      {!list && (
        <div className={compact ? "" : "max-md:hidden"}>
          <Sankey answer={answer} back={back} compact={compact} />
        </div>
      )}
      {!compact && (
        <div className={list ? "" : "md:hidden"}>
          <Ways answer={answer} back={back} />
        </div>
      )}
    </div>
  );
}

/** Step by step: the nodes of each, and where people went from there. */
function Ways({ answer, back }: { answer: Answer; back: boolean }) {
  const steps = [...new Set(answer.nodes.map((node) => node.step))];
  const named = new Map(answer.nodes.map((node) => [node.id, node]));
  return (
    <ol className="grid gap-5">
      {steps.map((step) => {
        const nodes = answer.nodes.filter((node) => node.step === step);
        const most = Math.max(1, ...nodes.map((node) => node.people));
        return (
          <li key={step}>
            <h3 className="mb-1 text-[13px] font-medium text-ink-soft">{step === 0 ? (back ? "Last step" : "First step") : `${step} ${step === 1 ? "step" : "steps"} ${back ? "before" : "on"}`}</h3>
            <ul className="grid gap-1">
              {nodes.map((node) => {
                const onward = answer.links.filter((link) => link.source === node.id);
                const row = (
                  <span className="flex min-w-0 flex-1 items-baseline gap-2">
                    <span className={`min-w-0 flex-1 truncate ${node.what === "other" || node.what === "end" ? "text-ink-soft" : ""}`}>
                      <bdi>{nodeName(node)}</bdi>
                    </span>
                    <span className="tabular font-semibold">{number(node.people)}</span>
                  </span>
                );
                return (
                  <li key={node.id} className="relative overflow-hidden rounded-lg">
                    <span aria-hidden="true" className="absolute inset-y-0 left-0 bg-accent-soft" style={{ width: `${(100 * node.people) / most}%` }} />
                    {onward.length ? (
                      <details className="relative">
                        <summary className="flex min-h-9 items-center px-2.5 py-1.5">{row}</summary>
                        <ul className="grid gap-0.5 px-2.5 pb-2 pl-6 text-[13px]">
                          {onward.map((link) => (
                            <li key={link.target} className="flex gap-2">
                              <span className="min-w-0 flex-1 truncate">
                                {back ? "from" : "to"} <bdi>{nodeName(named.get(link.target))}</bdi>
                              </span>
                              <span className="tabular">{number(link.people)}</span>
                            </li>
                          ))}
                        </ul>
                      </details>
                    ) : (
                      <span className="relative flex min-h-9 items-center px-2.5 py-1.5">{row}</span>
                    )}
                  </li>
                );
              })}
            </ul>
          </li>
        );
      })}
    </ol>
  );
}
