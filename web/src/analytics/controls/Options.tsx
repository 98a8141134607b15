import { useMutation } from "@tanstack/react-query";
import { DropdownMenu } from "radix-ui";
import { Icon } from "../../widgets/icons";
import type { Known } from "../view/definitions";
import { filesOf } from "../panels/rows";
import { keep, type Scope } from "../view/question";
import { useSource } from "../view/source";
import type { AnalyticsView, Change } from "../view/state";

const ITEM = "flex cursor-pointer items-center justify-between gap-4 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken data-[state=checked]:text-accent-ink";
const LABEL = "px-2.5 pb-1 pt-2 text-xs text-ink-faint";
const TRAFFIC: Record<string, string> = { people: "People", bots: "Bots and crawlers", internal: "Own traffic", all: "Everything" };

/** Whose visits are counted, and on which clock. */
export function Options({ view, scope, known, zone, imported, change, onDialog, onShare }: { view: AnalyticsView; scope: Scope; known: Known | undefined; zone: string | undefined; imported: boolean; change: Change; onDialog: ((dialog: string) => void) | null; onShare: (() => void) | null }) {
  const source = useSource();
  const { shared } = source;
  const files = useMutation({
    mutationFn: () => source.files(filesOf(scope, view, source)),
    onSuccess: (packed) => keep(packed, `${view.app || "analytics"}.zip`),
  });
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [...new Set(["", "UTC", own, view.zone].filter((name) => name !== undefined))];
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger aria-label="Options" title="Options" className={`grid size-9 place-items-center rounded-lg border ${view.traffic !== "people" || view.zone ? "border-accent/40 bg-accent-soft text-accent-ink" : "border-line-strong bg-surface text-ink-soft hover:bg-sunken"}`}>
        <Icon name="more" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={6} className="fade-in z-40 min-w-60 rounded-xl border border-line bg-raised p-1.5 shadow-float">
          {onShare && (
            <DropdownMenu.Item className={ITEM} onSelect={onShare}>
              Share links…
            </DropdownMenu.Item>
          )}
          {onDialog && (
            <>
              <DropdownMenu.Item className={ITEM} onSelect={() => onDialog("goals")}>
                Goals…
              </DropdownMenu.Item>
              <DropdownMenu.Item className={ITEM} onSelect={() => onDialog("settings")}>
                Settings…
              </DropdownMenu.Item>
            </>
          )}
          <DropdownMenu.Item
            className={ITEM}
            onSelect={(event) => {
              event.preventDefault();
              files.mutate();
            }}
          >
            {files.isPending ? "Writing the files…" : files.isError ? files.error.message : "Download all panels"}
          </DropdownMenu.Item>
          {!shared && <DropdownMenu.Label className={LABEL}>Count</DropdownMenu.Label>}
          <DropdownMenu.RadioGroup value={view.traffic} onValueChange={(traffic) => change({ traffic: traffic === "people" ? undefined : traffic })}>
            {(shared ? [] : (known?.all.traffic ?? [])).map((one) => (
              <DropdownMenu.RadioItem key={one.name} value={one.name} title={one.label} className={ITEM}>
                {TRAFFIC[one.name] ?? one.label}
                <DropdownMenu.ItemIndicator>
                  <Icon name="check" size={15} />
                </DropdownMenu.ItemIndicator>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          {(imported || !view.imports) && (
            <DropdownMenu.CheckboxItem className={ITEM} checked={view.imports} onCheckedChange={(on) => change({ imports: on ? undefined : "0" })}>
              Imported days
              <DropdownMenu.ItemIndicator>
                <Icon name="check" size={15} />
              </DropdownMenu.ItemIndicator>
            </DropdownMenu.CheckboxItem>
          )}
          <DropdownMenu.Label className={LABEL}>Days and hours of</DropdownMenu.Label>
          <DropdownMenu.RadioGroup value={view.zone} onValueChange={(chosen) => change({ zone: chosen || undefined })}>
            {zones.map((name) => (
              <DropdownMenu.RadioItem key={name} value={name} className={ITEM}>
                {name === "" ? `The application${view.zone === "" && zone ? ` (${zone})` : ""}` : name === own ? `This browser (${name})` : name}
                <DropdownMenu.ItemIndicator>
                  <Icon name="check" size={15} />
                </DropdownMenu.ItemIndicator>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
