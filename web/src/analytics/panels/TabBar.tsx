import { DropdownMenu } from "radix-ui";
import { Icon } from "../../widgets/icons";

const SHOWN = 3;

/** The first tabs beside each other, the others in a menu, which shows the chosen one of them. */
export function TabBar({ label, tabs, chosen, onChoose }: { label: string; tabs: { id: string; title: string }[]; chosen: string; onChoose: (id: string) => void }) {
  const first = tabs.length <= SHOWN + 1 ? tabs : tabs.slice(0, SHOWN);
  const rest = tabs.slice(first.length);
  const hidden = rest.find((tab) => tab.id === chosen);
  const shape = (on: boolean) => `h-7 shrink-0 whitespace-nowrap rounded-md px-2 text-[13px] transition-colors ${on ? "bg-accent-soft font-medium text-accent-ink" : "text-ink-soft hover:bg-sunken hover:text-ink"}`;
  return (
    <div role="group" aria-label={label} className="flex min-w-0 flex-1 justify-end gap-0.5 overflow-hidden">
      <span className="thin-scroll flex min-w-0 gap-0.5 overflow-x-auto [scrollbar-width:none]">
        {first.map((tab) => (
          <button key={tab.id} type="button" aria-pressed={tab.id === chosen} onClick={() => onChoose(tab.id)} className={shape(tab.id === chosen)}>
            {tab.title}
          </button>
        ))}
      </span>
      {rest.length > 0 && (
        <DropdownMenu.Root>
          <DropdownMenu.Trigger aria-label={`More ${label.toLowerCase()}${hidden ? `: ${hidden.title}` : ""}`} className={`inline-flex items-center gap-1 ${shape(hidden !== undefined)}`}>
            {hidden?.title ?? "More"}
            <Icon name="down" size={13} />
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content align="end" sideOffset={4} className="fade-in z-40 min-w-44 rounded-xl border border-line bg-raised p-1.5 shadow-float">
              {rest.map((tab) => (
                <DropdownMenu.CheckboxItem key={tab.id} checked={tab.id === chosen} onSelect={() => onChoose(tab.id)} className="flex cursor-pointer items-center justify-between gap-4 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken data-[state=checked]:text-accent-ink">
                  {tab.title}
                  <DropdownMenu.ItemIndicator>
                    <Icon name="check" size={15} />
                  </DropdownMenu.ItemIndicator>
                </DropdownMenu.CheckboxItem>
              ))}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      )}
    </div>
  );
}
