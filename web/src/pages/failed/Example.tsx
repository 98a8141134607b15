/** One failed event: what was sent beside what was expected, and what to do. */
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../api/client";
import { middle, schemaParts } from "../../view/format";
import { Icon } from "../../widgets/icons";
import { JsonTree } from "../../widgets/JsonTree";
import { Badge, CopyButton } from "../../widgets/ui";

type Example = Schemas["Example"];

export function ExampleView({ example, first }: { example: Example; first: boolean }) {
  return (
    <details open={first} className="rounded-xl border border-line">
      <summary className="flex items-center gap-2 rounded-xl px-3 py-2 hover:bg-sunken">
        <span className="min-w-0 flex-1 truncate">{example.at}</span>
        {example.status !== "open" && <Badge tone="good">{example.status}</Badge>}
      </summary>
      <div className="grid gap-3 border-t border-line p-3">
        <Link to="/xray" search={{ id: example.id }} className="inline-flex w-fit items-center gap-1 rounded-lg text-accent-ink hover:underline">
          <Icon name="xray" size={14} /> Open in X-ray
        </Link>
        {example.faults.map((fault, i) => (
          <FaultView key={`${fault.path}-${i}`} fault={fault} />
        ))}
        {example.cures.map((cure) => (
          <details key={cure.text} className="rounded-lg bg-accent-soft p-2.5 text-[13px]">
            <summary>{cure.text}</summary>
            {cure.commands.map((command) => (
              <div key={command} className="mt-1.5 flex items-start gap-2">
                <code className="min-w-0 flex-1 break-all">{command}</code>
                <CopyButton small kind="quiet" text={command} />
              </div>
            ))}
          </details>
        ))}
        <details>
          <summary className="text-[13px] text-ink-soft">The bad row as JSON</summary>
          <div className="mt-2">
            <JsonTree value={example.bad_row} open={2} />
          </div>
        </details>
      </div>
    </details>
  );
}

function FaultView({ fault }: { fault: Schemas["Fault"] }) {
  const schema = fault.schema ? schemaParts(fault.schema) : null;
  return (
    <section aria-label="Fault" className="grid gap-2">
      <p className="break-words font-medium text-bad-ink">{fault.headline}</p>
      <code className="break-words text-xs text-ink-soft">{fault.message}</code>
      <div className="grid gap-2 sm:grid-cols-2">
        <div className="min-w-0 rounded-lg border border-bad/40 p-2.5">
          <h3 className="mb-1 text-xs text-ink-faint">Sent{fault.place ? `: ${middle(fault.place, 44)}` : fault.path ? `: ${fault.path}` : ""}</h3>
          {fault.absent ? <em className="text-ink-soft">nothing is there</em> : <JsonTree value={fault.value} open={3} />}
        </div>
        <div className="min-w-0 rounded-lg border border-line p-2.5">
          <h3 className="mb-1 text-xs text-ink-faint">
            {schema ? (
              <>
                Expected by{" "}
                <Link to="/schemas" search={{ uri: fault.schema }} className="text-accent-ink underline underline-offset-2">
                  {schema.name} {schema.version}
                </Link>
              </>
            ) : (
              "Expected"
            )}
          </h3>
          {fault.kind === "resolution" ? <em className="text-ink-soft">a schema that is {fault.message}</em> : fault.rule === null || fault.rule === undefined ? <em className="text-ink-soft">see the message</em> : <JsonTree value={fault.rule} open={2} />}
        </div>
      </div>
    </section>
  );
}
