import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";
import { SaveReportDialog } from "../../reports/SaveReport";
import { Icon } from "../../widgets/icons";
import { useDashboard } from "../parts/context";
import { liveSearch } from "../view/live";
import { alone } from "../view/question";
import { useRight, useSource } from "../view/source";
import { metricsOf, rowsQuestion } from "./rows";
import type { PanelEntry, Tab } from "./table";
import { useCsv } from "./useCsv";

const ITEM = "flex cursor-pointer items-center gap-2.5 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken data-disabled:cursor-default data-disabled:text-ink-faint";

/** What else can be done with a tab's rows: all of them, as a file, as events, as SQL. */
export function PanelMenu({ panel, tab }: { panel: PanelEntry; tab: Tab }) {
  const { view, scope, meta, change } = useDashboard();
  const navigate = useNavigate();
  const source = useSource();
  const [mayLive, maySql] = [useRight("read:events"), useRight("query:sql")];
  const metrics = metricsOf(tab, view.filters);
  const explain = useMutation({
    mutationFn: () => source.query({ ...rowsQuestion(alone(scope), tab, metrics, { pagination: { limit: 100 } }), explain: true }),
    onSuccess: (answer) => void navigate({ to: "/sql", search: { q: answer.meta.sql ?? "" } }),
  });
  const file = useCsv(panel, tab, [...metrics, ...(tab.more ?? [])]);
  const [saving, setSaving] = useState(false);
  const live = meta ? liveSearch([...view.filters, ...(tab.within ?? [])], view.app, meta.period.start, meta.period.end) : null;
  return (
    <>
      {saving && <SaveReportDialog kind="query" name={tab.title} question={{ ...rowsQuestion(alone(scope), tab, metrics, { pagination: { limit: 10 } }) }} onClose={() => setSaving(false)} />}
      <DropdownMenu.Root>
      <DropdownMenu.Trigger aria-label={`More about ${panel.title.toLowerCase()}`} className="grid size-8 shrink-0 place-items-center rounded-lg text-ink-soft hover:bg-sunken hover:text-ink">
        <Icon name="more" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={4} className="fade-in z-40 min-w-56 rounded-xl border border-line bg-raised p-1.5 shadow-float">
          <DropdownMenu.Item className={ITEM} onSelect={() => change({ all: `${panel.id}.${tab.id}` }, { push: true })}>
            <Icon name="search" size={16} /> Show all rows
          </DropdownMenu.Item>
          {!source.shared && (
            <DropdownMenu.Item className={ITEM} onSelect={() => setSaving(true)}>
              <Icon name="pin" size={16} /> Save report…
            </DropdownMenu.Item>
          )}
          <DropdownMenu.Item
            className={ITEM}
            onSelect={(event) => {
              event.preventDefault();
              file.mutate();
            }}
          >
            <Icon name="down" size={16} /> {file.isPending ? "Writing the file…" : file.isError ? file.error.message : "Download CSV"}
          </DropdownMenu.Item>
          {mayLive &&
            (live ? (
              <DropdownMenu.Item asChild className={ITEM}>
                <Link to="/live" search={live}>
                  <Icon name="live" size={16} /> Show events in Live
                </Link>
              </DropdownMenu.Item>
            ) : (
              <DropdownMenu.Item disabled className={ITEM} title="A filter says something that only whole visits know.">
                <Icon name="live" size={16} /> Not available in Live
              </DropdownMenu.Item>
            ))}
          {maySql && (
            <DropdownMenu.Item
              className={ITEM}
              onSelect={(event) => {
                event.preventDefault();
                explain.mutate();
              }}
            >
              <Icon name="sql" size={16} /> {explain.isPending ? "Writing the SQL…" : explain.isError ? explain.error.message : "Open as SQL"}
            </DropdownMenu.Item>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
    </>
  );
}
