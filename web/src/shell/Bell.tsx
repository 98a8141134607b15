/** What fires now, a click from everywhere. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { DropdownMenu } from "radix-ui";
import { ApiError, api, ask } from "../api/client";
import { ago } from "../view/format";
import { Badge, type Tone } from "../widgets/ui";
import { Icon } from "../widgets/icons";

const EVERY = 30_000;
const SHOWN = 8;

export const SEVERITY: Record<string, Tone> = { critical: "bad", warn: "warn", info: "accent" };

export function useFiring() {
  return useQuery({
    queryKey: ["alerts", "firing"],
    queryFn: () => ask(api.GET("/api/v1/alerts/firing")),
    refetchInterval: EVERY,
    // a store in memory has no alerts: nothing to ask for again
    retry: (times, error) => times < 2 && !(error instanceof ApiError && error.status === 404),
  });
}

export function Bell() {
  const firing = useFiring();
  const loud = firing.data?.filter((one) => !one.muted) ?? [];
  if (firing.error instanceof ApiError && firing.error.status === 404) return null;
  const label = loud.length ? `Alerts: ${loud.length} firing` : "Alerts: nothing fires";
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger aria-label={label} title={label} className="relative grid size-8 shrink-0 place-items-center rounded-lg text-ink-soft hover:bg-surface hover:text-ink">
        <Icon name="bell" size={17} />
        {loud.length > 0 && (
          <span aria-hidden="true" className={`absolute -right-0.5 -top-0.5 grid h-4 min-w-4 place-items-center rounded-full px-1 text-[10px] font-semibold ${loud.some((one) => one.severity === "critical") ? "bg-bad-soft text-bad-ink" : "bg-warn-soft text-warn-ink"}`}>
            {loud.length > 99 ? "99+" : loud.length}
          </span>
        )}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="start" sideOffset={6} collisionPadding={8} className="fade-in z-40 w-88 max-w-[94vw] rounded-xl border border-line bg-raised p-1.5 shadow-float">
          {loud.length === 0 && <p className="px-2.5 py-2 text-ink-soft">Nothing fires.</p>}
          {loud.slice(0, SHOWN).map((one) => (
            <DropdownMenu.Item key={`${one.rule_id} ${one.key}`} asChild>
              <Link to="/alerts" search={{ alert: one.rule_id }} className="grid gap-0.5 rounded-lg px-2.5 py-2 outline-none data-highlighted:bg-sunken">
                <span className="flex items-center gap-2">
                  <Badge tone={SEVERITY[one.severity]}>{one.severity}</Badge>
                  <span className="min-w-0 flex-1 truncate font-medium">{one.name}</span>
                  <span className="text-xs text-ink-soft">{ago(one.started_at)}</span>
                </span>
                <span className="line-clamp-2 break-words text-[13px] text-ink-soft">{one.summary}</span>
              </Link>
            </DropdownMenu.Item>
          ))}
          <DropdownMenu.Item asChild>
            <Link to="/alerts" className="block rounded-lg px-2.5 py-2 text-[13px] text-ink-soft outline-none data-highlighted:bg-sunken">
              {loud.length > SHOWN ? `All alerts, ${loud.length - SHOWN} more firing` : "All alerts"}
            </Link>
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
