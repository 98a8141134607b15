import type { Schemas } from "../../api/client";
import { time } from "../../view/format";

/** Who changed the settings when, and what they said then. */
export function History({ versions, words }: { versions: Schemas["OldVersion"][] | undefined; words: (settings: Record<string, unknown>) => string }) {
  if (!versions?.length) return null;
  return (
    <details>
      <summary className="text-[13px] text-ink-soft">History</summary>
      <ol aria-label="History" className="mt-2 grid gap-1 text-[13px]">
        {versions.map((version) => (
          <li key={version.version} className="break-words">
            Version {version.version}, {time(version.at)}, {version.changed_by}: {words(version.settings)}
          </li>
        ))}
      </ol>
    </details>
  );
}
