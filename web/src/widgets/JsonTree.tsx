import { type ReactNode, useState } from "react";
import { Icon } from "./icons";
import { CopyButton } from "./ui";

/** What can be done with a value: `keys` lead to it, without the numbers of lists. */
export type LeafAction = (keys: string[], value: unknown) => ReactNode;

/** JSON to unfold, with a copy button for the whole and for every node. `mark` is a path shown as at fault, `actions`
 * stand behind each value that is not inside of a list of objects. */
export function JsonTree({ value, open = 1, mark, actions }: { value: unknown; open?: number; mark?: string; actions?: LeafAction }) {
  return (
    <div className="thin-scroll overflow-x-auto font-mono text-[12.5px] leading-6">
      <Node value={value} name={null} depth={0} open={open} path="$" mark={mark} keys={[]} actions={actions} />
    </div>
  );
}

interface NodeProps {
  value: unknown;
  name: string | null;
  depth: number;
  open: number;
  path: string;
  mark?: string;
  keys: string[] | null;
  actions?: LeafAction;
}

function Node({ value, name, depth, open, path, mark, keys, actions }: NodeProps) {
  const branch = value !== null && typeof value === "object";
  const leads = mark !== undefined && (mark === path || mark.startsWith(`${path}.`) || mark.startsWith(`${path}[`));
  const [shown, setShown] = useState(depth < open || leads);
  const marked = mark === path;
  const label = name === null ? null : <span className="text-accent-ink">{name}: </span>;
  const line = `group relative flex items-start gap-1 rounded ${marked ? "bg-bad-soft" : "hover:bg-sunken"}`;
  if (!branch) {
    return (
      <div className={line}>
        <span className="w-4 shrink-0" />
        <span className="min-w-0 break-all">
          {label}
          <Scalar value={value} />
        </span>
        {actions && keys && value !== null && value !== "" && <span className="flex shrink-0 items-center gap-0.5 rounded bg-sunken opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100 pointer-fine:absolute pointer-fine:right-0 pointer-fine:top-0">{actions(keys, value)}</span>}
      </div>
    );
  }
  const entries: [string, unknown][] = Array.isArray(value) ? value.map((item, i) => [String(i), item]) : Object.entries(value);
  const list = Array.isArray(value);
  return (
    <div>
      <div className={line}>
        <button type="button" aria-expanded={shown} aria-label={`${shown ? "Fold" : "Unfold"} ${name ?? "all"}`} onClick={() => setShown(!shown)} className="grid h-6 w-4 shrink-0 place-items-center text-ink-faint">
          <Icon name={shown ? "down" : "right"} size={13} />
        </button>
        <span className="min-w-0 flex-1">
          {label}
          <span className="text-ink-faint">{list ? `[${entries.length}]` : `{${entries.length}}`}</span>
        </span>
        <span className="opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
          {depth > 0 && <CopyButton small kind="quiet" text={() => JSON.stringify(value, null, 2)} />}
        </span>
      </div>
      {shown && (
        <div className="ml-2 border-l border-line pl-2">
          {entries.map(([key, item]) => (
            <Node key={key} name={key} value={item} depth={depth + 1} open={open} path={list ? `${path}[${key}]` : `${path}.${key}`} mark={mark} actions={actions} keys={keys && (!list ? [...keys, key] : item !== null && typeof item === "object" ? null : keys)} />
          ))}
        </div>
      )}
    </div>
  );
}

function Scalar({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="text-ink-faint">null</span>;
  if (typeof value === "string") return <span className="text-good-ink">"{value}"</span>;
  return <span className="text-warn-ink">{String(value)}</span>;
}
