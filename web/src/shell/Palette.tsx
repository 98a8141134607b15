import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Dialog } from "radix-ui";
import { useMemo, useState } from "react";
import { Icon, type IconName } from "../widgets/icons";
import { Kbd } from "../widgets/ui";
import type { PageEntry } from "./pages";
import { toggleTheme } from "./theme";

interface Command {
  title: string;
  icon: IconName;
  words: string;
  hint?: string;
  run: () => void;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Everything one can go to or do, found by typing. An event's id goes straight to its X-ray. */
export default function Palette({ pages, onClose, onHelp }: { pages: PageEntry[]; onClose: () => void; onHelp: () => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const commands = useMemo(() => {
    const go = (to: string, search?: Record<string, string>) => () => void navigate({ to: to, search: (search ?? {}) });
    const typed = text.trim();
    const list: Command[] = [];
    if (UUID.test(typed)) list.push({ title: `X-ray of event ${typed}`, icon: "xray", words: typed, run: go("/xray", { id: typed }) });
    list.push(...pages.map((page) => ({ title: page.title, icon: page.icon, words: page.words, hint: `g ${page.key}`, run: go(page.path) })));
    list.push({ title: "Failed events of the last hour", icon: "alert", words: "errors bad", run: go("/live", { status: "failed", range: "1h" }) });
    list.push({ title: "Light or dark theme", icon: "sun", words: "appearance mode", hint: "t", run: toggleTheme });
    list.push({ title: "Refresh everything", icon: "refresh", words: "reload", run: () => void queries.invalidateQueries() });
    list.push({ title: "Documentation", icon: "book", words: "docs guide help manual", run: () => location.assign("/docs/") });
    list.push({ title: "Keyboard shortcuts", icon: "book", words: "help keys", hint: "?", run: onHelp });
    if (typed && !UUID.test(typed)) list.push({ title: `Search events for “${typed}”`, icon: "search", words: typed, run: go("/live", { search: typed }) });
    const needle = typed.toLowerCase();
    return list.filter((one) => !needle || `${one.title} ${one.words}`.toLowerCase().includes(needle));
  }, [pages, text, navigate, queries, onHelp]);
  const chosen = Math.min(at, Math.max(0, commands.length - 1));
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  return (
    <Dialog.Root open onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fade-in fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content aria-describedby={undefined} className="fade-in fixed left-1/2 top-[12dvh] z-50 w-[36rem] max-w-[94vw] -translate-x-1/2 overflow-hidden rounded-2xl border border-line bg-raised shadow-float">
          <Dialog.Title className="sr-only">Go to anything</Dialog.Title>
          <div className="flex items-center gap-2.5 border-b border-line px-4">
            <Icon name="search" className="text-ink-faint" />
            <input
              autoFocus
              role="combobox"
              aria-expanded="true"
              aria-controls="palette-list"
              aria-activedescendant={`palette-${chosen}`}
              aria-label="Go to a page, an event id, or search"
              placeholder="Go to a page, paste an event id, or search…"
              className="h-12 min-w-0 flex-1 bg-transparent outline-none"
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setAt(0);
              }}
              onKeyDown={(event) => {
                if (event.key === "ArrowDown") setAt(Math.min(commands.length - 1, chosen + 1));
                else if (event.key === "ArrowUp") setAt(Math.max(0, chosen - 1));
                else if (event.key === "Enter") run(commands[chosen]);
                else return;
                event.preventDefault();
              }}
            />
            <Kbd>Esc</Kbd>
          </div>
          <ul id="palette-list" role="listbox" aria-label="Commands" className="thin-scroll max-h-[50dvh] overflow-auto p-2">
            {commands.map((command, i) => (
              <li
                key={command.title}
                id={`palette-${i}`}
                role="option"
                aria-selected={i === chosen}
                onPointerMove={() => setAt(i)}
                onClick={() => run(command)}
                className={`flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2 ${i === chosen ? "bg-accent-soft text-accent-ink" : ""}`}
              >
                <Icon name={command.icon} />
                <span className="min-w-0 flex-1 truncate">{command.title}</span>
                {command.hint && <Kbd>{command.hint}</Kbd>}
              </li>
            ))}
          </ul>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
