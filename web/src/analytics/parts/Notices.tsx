import type { ReactNode } from "react";
import { ago, number, time } from "../../view/format";
import { dateText } from "../view/periods";
import { Icon } from "../../widgets/icons";
import type { Known } from "../view/definitions";
import type { Answer } from "../view/question";

const LATE = 5 * 60_000;

/** What one has to know to read the figures: how far they are modelled, what they leave out, what they do not add up. */
export function Notices({ meta, refused, known }: { meta: Answer["meta"] | undefined; refused: Record<string, string>; known: Known | undefined }) {
  if (!meta) return null;
  const until = meta.modelled_until ? Date.parse(meta.modelled_until) : null;
  const late = until !== null && Date.now() - until > LATE && Date.parse(meta.period.end) > until;
  const lost = meta.coverage?.without_visit ?? 0;
  const all = meta.coverage?.pageviews ?? 0;
  return (
    <>
      {until === null ? (
        <Notice warn>Nothing is modelled yet. Figures appear a minute after the first page view is stored; Health shows how far the modeller is.</Notice>
      ) : (
        late && (
          <Notice warn>
            Modelled until {time(until)}, {ago(until)}. What was stored later is not in these figures yet.
          </Notice>
        )
      )}
      {(meta.warnings ?? [])
        .filter((one) => one.code !== "not_modelled")
        .map((one) => (
          <Notice key={one.code + one.text}>{one.text}</Notice>
        ))}
      {meta.imports && <Notice>{importsText(meta.imports, known)}</Notice>}
      {meta.approximate && <Notice>Visitors without cookies are counted once a day, so the number of visitors is approximate.</Notice>}
      {all > 0 && lost / all > 0.2 && (
        <Notice>
          {number(lost)} of {number(all)} page views belong to no visit: the tracker sent no session. They count as page views and in no other figure.
        </Notice>
      )}
      {Object.entries(refused).map(([name, reason]) => (
        <Notice key={name}>
          {known?.measure(name)?.label ?? name} is left out: {reason}.
        </Notice>
      ))}
    </>
  );
}

const PRODUCTS: Record<string, string> = { plausible: "Plausible", umami: "Umami", ga4: "Google Analytics 4" };

/** Which days were imported, and what is shown of them. */
function importsText(imports: NonNullable<Answer["meta"]["imports"]>, known: Known | undefined): string {
  const only = imports.first === imports.last;
  const days = only ? `${dateText(imports.first, true)} was` : `Days within ${dateText(imports.first, true)} – ${dateText(imports.last, true)} were`;
  const from = `${days} imported from ${imports.products.map((name) => PRODUCTS[name] ?? name).join(" and ")}`;
  if (imports.left_out) return `${from}. Left out here: ${imports.left_out}.`;
  const names = imports.metrics.map((name) => known?.measure(name)?.label.toLowerCase() ?? name);
  return `${from}. Imported figures are hatched, and not part of your own: ${names.join(", ")}. Their visitors are sums of days. A day with page views of your own is not taken from an import.`;
}

function Notice({ warn, children }: { warn?: boolean; children: ReactNode }) {
  return (
    <p role="status" className={`flex items-start gap-2 rounded-lg px-3 py-2 text-[13px] ${warn ? "bg-warn-soft text-warn-ink" : "bg-sunken text-ink-soft"}`}>
      <Icon name="alert" size={15} className="mt-px" />
      <span className="min-w-0 break-words">{children}</span>
    </p>
  );
}
