import { Popover } from "radix-ui";
import { useRef, useState } from "react";
import { api, ask, ApiError } from "../../api/client";
import { number } from "../../view/format";
import { stringifySearch } from "../../view/search";
import { Icon } from "../../widgets/icons";
import { Button, Failure } from "../../widgets/ui";
import type { LiveView } from "./view";

const FORMATS = [
  { id: "csv", label: "CSV", note: "the columns that are shown, for spreadsheets" },
  { id: "json", label: "JSON lines", note: "whole events, one on each line" },
] as const;

/** What is filtered as a file, with how far it is. */
export function Export({ view }: { view: LiveView }) {
  const [open, setOpen] = useState(false);
  const [state, setState] = useState<{ done: number; all: number } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const abort = useRef<AbortController | null>(null);
  const run = async (format: string) => {
    const control = new AbortController();
    abort.current = control;
    setError(null);
    setState({ done: 0, all: 0 });
    const asked = { status: view.status, range: view.range, where: view.where };
    try {
      const counts = await ask(api.GET("/api/v1/count", { params: { query: asked }, signal: control.signal }));
      const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
      const answer = await fetch(`/api/v1/events/export${stringifySearch({ ...asked, search: view.search, columns: view.columns.join(","), format })}`, { signal: control.signal });
      if (!answer.ok || !answer.body) throw new ApiError(answer.status, await reason(answer));
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      let lines = 0;
      const reader = answer.body.getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        pieces.push(new Uint8Array(piece.value));
        for (const byte of piece.value) if (byte === 10) lines += 1;
        setState({ done: lines, all });
      }
      download(new Blob(pieces, { type: answer.headers.get("content-type") ?? "text/plain" }), `events.${format === "csv" ? "csv" : "jsonl"}`);
      setOpen(false);
    } catch (raised) {
      if (!control.signal.aborted) setError(raised);
    } finally {
      setState(null);
    }
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="inline-flex h-9 items-center gap-1.5 rounded-lg border border-line-strong bg-surface px-3 hover:bg-sunken">
        <Icon name="down" size={16} />
        Export
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="end" sideOffset={6} collisionPadding={8} aria-label="Export" className="fade-in z-40 grid w-80 gap-2 rounded-xl border border-line bg-raised p-3 shadow-float">
          <p className="text-[13px] text-ink-soft">Every event that the filters and the time range select, newest first; at most a million.</p>
          {state ? (
            <div role="status" className="grid gap-2">
              <progress aria-label="Export" className="h-1.5 w-full accent-accent" value={state.all ? Math.min(state.done, state.all) : undefined} max={state.all || undefined} />
              <span className="flex items-center gap-2">
                <span className="tabular min-w-0 flex-1">
                  {number(state.done)}
                  {state.all > 0 && ` of ${number(Math.max(state.all, state.done))}`} events
                </span>
                <Button small onClick={() => abort.current?.abort()}>
                  Cancel
                </Button>
              </span>
            </div>
          ) : (
            FORMATS.map(({ id, label, note }) => (
              <button key={id} type="button" onClick={() => void run(id)} className="grid rounded-lg px-2.5 py-1.5 text-left hover:bg-sunken">
                <span className="font-medium">{label}</span>
                <span className="text-[13px] text-ink-soft">{note}</span>
              </button>
            ))
          )}
          {error !== null && <Failure error={error} />}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

async function reason(answer: Response): Promise<string> {
  try {
    const said: unknown = await answer.json();
    if (typeof said === "object" && said !== null && "detail" in said && typeof said.detail === "string") return said.detail;
  } catch {
    // no JSON
  }
  return `The answer was ${answer.status}.`;
}

function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
