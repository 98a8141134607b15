/** Examples before and after edits, each validated. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, ask, type Schemas } from "../../api/client";
import { counted } from "../../view/format";
import { JsonTree } from "../../widgets/JsonTree";
import { Loaded } from "../../widgets/Loaded";
import { Badge, Loading, type Tone } from "../../widgets/ui";
import type { Edits } from "./edits";

const VERDICTS: Record<string, { tone: Tone; text: string }> = {
  recovered: { tone: "good", text: "✓ becomes a good event" },
  failed: { tone: "bad", text: "✗ fails still" },
  dropped: { tone: "warn", text: "– dropped by an enrichment" },
  waiting: { tone: "warn", text: "… a registry is unreachable" },
  lost: { tone: "bad", text: "✗ can't be replayed" },
};

export function Preview({ cause, edits }: { cause: string; edits: Edits }) {
  const seen = useQuery({
    queryKey: ["preview", cause, edits],
    queryFn: () => ask(api.POST("/api/v1/failed/causes/{cause}/preview", { params: { path: { cause } }, body: { edits, limit: 3 } })),
    placeholderData: keepPreviousData,
  });
  return (
    <section aria-label="Preview" className="grid gap-2">
      <h4 className="text-[13px] font-medium">
        Preview {seen.data && <span className="font-normal text-ink-soft">on the newest {counted(seen.data.length, "example")}</span>}
      </h4>
      <Loading on={seen.isFetching && !seen.isPending} />
      <Loaded query={seen} what="the preview" rows={1}>
        {(data) => (
          <ul className="grid gap-2">
            {data.map((one) => (
              <li key={one.id} className="rounded-lg border border-line bg-surface">
                <One one={one} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  );
}

function One({ one }: { one: Schemas["Previewed"] }) {
  const verdict = VERDICTS[one.verdict] ?? { tone: "plain" as const, text: one.verdict };
  return (
    <>
      <p className="flex flex-wrap items-center gap-2 px-2.5 py-1.5">
        <Badge tone={verdict.tone}>{verdict.text}</Badge>
        <span className="text-xs text-ink-soft">{one.at}</span>
      </p>
      {one.left.map((text) => (
        <p key={text} className="break-words px-2.5 pb-1.5 text-[13px] text-bad-ink">
          {text}
        </p>
      ))}
      {one.verdict !== "recovered" && one.left.length === 0 && one.reason && <p className="break-words px-2.5 pb-1.5 text-[13px] text-ink-soft">{one.reason}</p>}
      {one.changes.length > 0 ? (
        <table className="w-full table-fixed border-t border-line text-[13px]">
          <thead>
            <tr className="text-left text-xs text-ink-soft">
              <th className="px-2.5 pt-1.5 font-normal">Before</th>
              <th className="px-2.5 pt-1.5 font-normal">After</th>
            </tr>
          </thead>
          <tbody>
            {one.changes.map((change) => (
              <Change key={change.path} change={change} />
            ))}
          </tbody>
        </table>
      ) : (
        <p className="border-t border-line px-2.5 py-1.5 text-[13px] text-ink-soft">Nothing changes in it.</p>
      )}
      {one.before !== null && (
        <details className="border-t border-line">
          <summary className="px-2.5 py-1.5 text-[13px] text-ink-soft hover:bg-sunken">The whole event</summary>
          <div className="grid grid-cols-[repeat(auto-fit,minmax(14rem,1fr))] gap-2 p-2.5">
            <div className="min-w-0">
              <h5 className="text-xs text-ink-soft">Before</h5>
              <JsonTree value={one.before} open={2} />
            </div>
            <div className="min-w-0">
              <h5 className="text-xs text-ink-soft">After</h5>
              <JsonTree value={one.after} open={2} />
            </div>
          </div>
        </details>
      )}
    </>
  );
}

function Change({ change }: { change: Schemas["Alteration"] }) {
  return (
    <>
      <tr>
        <td colSpan={2} className="break-all px-2.5 pt-1 text-xs text-ink-soft">
          <code>{change.path}</code>
        </td>
      </tr>
      <tr>
        <td className="px-2.5 pb-1.5 align-top">{change.kind === "added" ? <em className="text-ink-soft">nothing</em> : <Mark value={change.before} tone="bad" />}</td>
        <td className="px-2.5 pb-1.5 align-top">{change.kind === "removed" ? <em className="text-ink-soft">removed</em> : <Mark value={change.after} tone="good" />}</td>
      </tr>
    </>
  );
}

function Mark({ value, tone }: { value: unknown; tone: "good" | "bad" }) {
  return <code className={`break-all rounded px-1 py-0.5 ${tone === "good" ? "bg-good-soft text-good-ink" : "bg-bad-soft text-bad-ink"}`}>{JSON.stringify(value)}</code>;
}
