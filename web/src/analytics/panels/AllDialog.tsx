import { Dialog } from "radix-ui";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { middle, number } from "../../view/format";
import { Icon } from "../../widgets/icons";
import { Button, Failure, IconButton } from "../../widgets/ui";
import { useDashboard } from "../parts/context";
import { Delta } from "../parts/Delta";
import { Waiting } from "../parts/Waiting";
import { figure } from "../view/definitions";
import { says, toggled } from "../view/filters";
import { type Metric, refusedMetric, useAnswer } from "../view/question";
import { filterTexts, withTab } from "../view/state";
import { metricsOf, nameOf, rowsQuestion } from "./rows";
import { PANELS, type PanelEntry, type Tab } from "./table";
import { useCsv } from "./useCsv";

const PAGE = 100;

/** All rows of a tab: searched, ordered and paged by the store. */
export function AllDialog() {
  const { view, change } = useDashboard();
  const [panelId, tabId] = view.all.split(".");
  const panel = PANELS.find((one) => one.id === panelId);
  const tab = panel?.tabs.find((one) => one.id === tabId);
  if (!panel || !tab) return null;
  const close = () => change({ all: undefined });
  return (
    <Dialog.Root open onOpenChange={(open) => !open && close()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fade-in fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content aria-describedby={undefined} className="fade-in fixed inset-0 z-50 flex flex-col overflow-hidden border-line bg-raised shadow-float md:inset-x-auto md:bottom-auto md:left-1/2 md:top-[6dvh] md:h-[86dvh] md:w-[58rem] md:max-w-[94vw] md:-translate-x-1/2 md:rounded-2xl md:border">
          <Rows key={view.all} panel={panel} tab={tab} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Rows({ panel, tab }: { panel: PanelEntry; tab: Tab }) {
  const { view, scope, known } = useDashboard();
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [page, setPage] = useState(0);
  const [order, setOrder] = useState<{ by: string; down: boolean } | null>(null);
  const [refused, setRefused] = useState<Metric[]>([]);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSearch(typed);
      setPage(0);
    }, 300);
    return () => clearTimeout(timer);
  }, [typed]);
  const metrics = [...new Set([...metricsOf(tab, view.filters), ...(tab.more ?? [])])].filter((name) => !refused.includes(name));
  const file = useCsv(panel, tab, metrics);
  const answer = useAnswer(
    rowsQuestion(scope, tab, metrics, {
      filters: search ? [["contains", tab.beside?.[0] ?? tab.dimension, [search], { case_sensitive: false }]] : [],
      pagination: { limit: PAGE, offset: page * PAGE },
      order_by: [[order?.by ?? metrics[0] ?? "visitors", order && !order.down ? "asc" : "desc"]],
      include: { total_rows: true },
    }),
  );
  const column = refusedMetric(answer.error);
  const without = column ? metrics[column.at] : undefined;
  useEffect(() => {
    // a column that makes no sense with these filters is left out
    if (without) setRefused((now) => [...now, without]);
  }, [without]);
  const total = answer.data?.meta.total_rows ?? 0;
  const currency = answer.data?.meta.currencies?.length === 1 ? answer.data.meta.currencies[0] : undefined;
  const sort = (by: string) => {
    setPage(0);
    setOrder((now) => (now?.by === by || (!now && by === metrics[0]) ? { by, down: !(now?.down ?? true) } : { by, down: by !== tab.dimension }));
  };
  const sortedBy = order?.by ?? metrics[0];
  const head = (by: string, label: string, title?: string) => (
    <th key={by} scope="col" aria-sort={sortedBy === by ? (order && !order.down ? "ascending" : "descending") : undefined} className={`sticky top-0 z-10 bg-raised py-2 font-medium ${by === tab.dimension ? "pl-4 text-left" : "px-3 text-right"}`}>
      <button type="button" title={title} onClick={() => sort(by)} className="whitespace-nowrap rounded hover:text-ink">
        {label} <span aria-hidden="true">{sortedBy === by ? (order && !order.down ? "↑" : "↓") : ""}</span>
      </button>
    </th>
  );
  return (
    <>
      <header className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2.5">
        <Dialog.Title className="min-w-0 flex-1">{tab.title}</Dialog.Title>
        <label className="relative max-sm:order-last max-sm:basis-full">
          <Icon name="search" size={15} className="absolute left-2.5 top-1/2 -translate-y-1/2 text-ink-faint" />
          <input type="search" aria-label={`Search ${tab.title.toLowerCase()}`} placeholder="Search…" className="field w-full !pl-8" value={typed} maxLength={500} onChange={(event) => setTyped(event.target.value)} />
        </label>
        <Button icon="down" disabled={file.isPending} title={file.isError ? file.error.message : undefined} onClick={() => file.mutate()}>
          {file.isError ? "CSV: try again" : "CSV"}
        </Button>
        <Dialog.Close asChild>
          <IconButton name="close" label="Close" />
        </Dialog.Close>
      </header>
      <div tabIndex={0} role="group" aria-label={`Rows of ${tab.title.toLowerCase()}`} className="thin-scroll min-h-0 flex-1 overflow-auto">
        {answer.isError && !without ? (
          <div className="p-4">
            <Failure error={answer.error} retry={() => void answer.refetch()} />
          </div>
        ) : !answer.data ? (
          <div className="p-4">
            <Waiting rows={14} what={tab.title.toLowerCase()} />
          </div>
        ) : !answer.data.results.length ? (
          <p className="p-10 text-center text-ink-soft">{search ? `Nothing holds “${middle(search, 60)}”.` : "Nothing in this period."}</p>
        ) : (
          <table className={`w-full text-[13px] ${answer.isPlaceholderData ? "opacity-60" : ""}`}>
            <thead className="text-ink-soft">
              <tr>
                {head(tab.dimension, known?.dimension(tab.dimension)?.label ?? tab.title)}
                {metrics.map((name) => head(name, name === "percentage" ? "Share" : (known?.measure(name)?.label ?? name), known?.measure(name)?.definition))}
              </tr>
            </thead>
            <tbody>
              {answer.data.results.map((row) => {
                const named = nameOf(known, tab, row);
                const on = says(view.filters, tab.dimension, named.value);
                return (
                  <tr key={JSON.stringify(row.dimensions)} className="border-t border-line hover:bg-sunken">
                    <td className="max-w-0 w-full min-w-44 py-1.5 pl-4">
                      <Link
                        to="." hash={true}
                        search={(now: Record<string, unknown>) => ({ ...now, all: undefined, f: filterTexts(toggled(view.filters, tab.dimension, named.value)), tab: withTab(view.tabs, panel.id, on ? tab.id : (tab.next ?? tab.id)) })}
                        resetScroll={false}
                        aria-current={on ? "true" : undefined}
                        title={middle(named.text, 1000)}
                        className={`block truncate rounded hover:text-accent-ink ${on ? "font-medium text-accent-ink" : ""}`}
                      >
                        {named.mark && <span className="mr-2 text-[10px] font-semibold text-ink-soft">{named.mark}</span>}
                        <bdi>{middle(named.text, 500)}</bdi>
                      </Link>
                    </td>
                    {metrics.map((name, at) => (
                      <td key={name} className="tabular whitespace-nowrap px-3 py-1.5 text-right">
                        {figure(known?.measure(name), row.metrics[at], currency)}{" "}
                        {typeof row.imported?.[at] === "number" && (
                          <span className="text-ink-soft" title="Imported from another product">
                            + {figure(known?.measure(name), row.imported[at])}{" "}
                          </span>
                        )}
                        {row.comparison && <Delta quiet measure={known?.measure(name)} change={row.comparison.change[at]} now={row.metrics[at] ?? null} before={row.comparison.metrics[at] ?? null} />}
                      </td>
                    ))}
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </div>
      <footer className="flex items-center gap-2 border-t border-line px-4 py-2 text-[13px] text-ink-soft">
        <span role="status" className="tabular flex-1">
          {total ? `${number(page * PAGE + 1)}–${number(Math.min(total, (page + 1) * PAGE))} of ${number(total)}` : ""}
        </span>
        <Button small icon="left" disabled={page === 0} onClick={() => setPage(page - 1)}>
          Previous
        </Button>
        <Button small disabled={(page + 1) * PAGE >= total} onClick={() => setPage(page + 1)}>
          Next <Icon name="right" size={15} />
        </Button>
      </footer>
    </>
  );
}
