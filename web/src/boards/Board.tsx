/** One dashboard: its tiles in one period, and, for those who may, its editing. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { DropdownMenu } from "radix-ui";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { ApplicationSwitch, useApplications } from "../analytics/controls/Applications";
import { FilterChips, FilterDialog } from "../analytics/controls/Filters";
import { ComparisonPicker, PeriodPicker } from "../analytics/controls/PeriodPicker";
import { useDefinitions } from "../analytics/view/definitions";
import { asked, useAnswer } from "../analytics/view/question";
import { api, ask, ApiError, type Schemas } from "../api/client";
import { useMay } from "../shell/session";
import { Icon, type IconName } from "../widgets/icons";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, CopyButton, Empty, Failure, IconButton, Skeleton } from "../widgets/ui";
import { AddTile } from "./AddTile";
import { Grid } from "./Grid";
import { lowest, packed } from "./layout";
import { NameDialog, TextDialog } from "./Naming";
import { useBoardScope } from "./scope";
import { type BoardTile, consoleBoard, tilesOf } from "./source";
import { TileBody, titleOf } from "./Tile";

const ShareLinks = lazy(() => import("../analytics/controls/ShareLinks"));
const Mailing = lazy(() => import("./Mailing"));

type Dashboard = Schemas["Dashboard"];
export const REFRESHES = [
  { seconds: 0, label: "Only when asked" },
  { seconds: 30, label: "Every 30 seconds" },
  { seconds: 60, label: "Every minute" },
  { seconds: 300, label: "Every 5 minutes" },
  { seconds: 900, label: "Every 15 minutes" },
];

export function Board({ id }: { id: string }) {
  const board = useQuery({ queryKey: ["dashboard", id], queryFn: () => ask(api.GET("/api/v1/analytics/dashboards/{dashboard_id}", { params: { path: { dashboard_id: id } } })), retry: false, refetchOnWindowFocus: false });
  if (board.isError) {
    const gone = board.error instanceof ApiError && board.error.status === 404;
    return (
      <PageFrame title="Dashboard">
        {gone ? (
          <Empty icon="board" title="There is no such dashboard" action={<Link to="/dashboards" className="text-accent-ink underline">Show all dashboards</Link>}>
            It was removed, or its author has not shared it with you.
          </Empty>
        ) : (
          <Failure error={board.error} retry={() => void board.refetch()} />
        )}
      </PageFrame>
    );
  }
  if (!board.data) {
    return (
      <PageFrame wide title="Dashboard">
        <div role="status" className="grid gap-4 md:grid-cols-2">
          <span className="sr-only">Loading the dashboard</span>
          <Skeleton className="h-64" />
          <Skeleton className="h-64" />
        </div>
      </PageFrame>
    );
  }
  return <Loaded key={id} board={board.data} />;
}

type Dialog = { kind: "add" | "name" | "copy" | "share" | "mail" | "text" } | { kind: "tile"; tile: BoardTile } | null;

function Loaded({ board }: { board: Dashboard }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const mayShare = useMay("write:analytics");
  const { view, scope, changed, change, filter, reset } = useBoardScope(board.scope);
  const { known } = useDefinitions();
  const apps = useApplications(scope);
  const meta = useAnswer(asked(scope, { metrics: ["visits"], include: { coverage: false } })).data?.meta;
  const kept = useMemo(() => tilesOf(board), [board]);
  const [draft, setDraft] = useState<BoardTile[] | null>(null);
  const [picking, setPicking] = useState(false);
  const [editing, setEditing] = useState<{ at: number | null } | null>(null);
  const [dialog, setDialog] = useState<Dialog>(null);
  const [full, setFull] = useFullScreen();
  const tiles = draft ?? kept;
  const save = useMutation({
    mutationFn: (body: Schemas["GivenDashboardChange"]) => ask(api.PATCH("/api/v1/analytics/dashboards/{dashboard_id}", { params: { path: { dashboard_id: board.id } }, body })),
    onSuccess: (made) => {
      queries.setQueryData(["dashboard", board.id], made);
      void queries.invalidateQueries({ queryKey: ["dashboards"] });
      void queries.invalidateQueries({ queryKey: ["saved-reports"] });
    },
  });
  const remove = useMutation({
    mutationFn: () => ask(api.DELETE("/api/v1/analytics/dashboards/{dashboard_id}", { params: { path: { dashboard_id: board.id } } })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["dashboards"] });
      void navigate({ to: "/dashboards" });
    },
  });
  const put = (next: BoardTile[], more: Schemas["GivenDashboardChange"] = {}) => save.mutate({ tiles: next.map(placed), changed_at: board.changed_at, ...more }, { onSuccess: () => setDraft(null) });
  /** In editing it waits for "Save", else it is kept at once. */
  const arrange = (next: BoardTile[]) => (draft ? setDraft(packed(next)) : put(packed(next)));
  const refresh = () => void queries.invalidateQueries({ queryKey: ["tile"] });
  const stale = save.error instanceof ApiError && save.error.status === 409;
  const controls = full ? (
    <Button icon="close" onClick={() => setFull(false)}>
      Leave full screen
    </Button>
  ) : draft ? (
    <>
      <Button icon="plus" onClick={() => setDialog({ kind: "add" })}>
        Add report
      </Button>
      <Button icon="plus" onClick={() => setDialog({ kind: "text" })}>
        Add text
      </Button>
      <Button onClick={() => setDraft(null)}>Cancel</Button>
      <Button kind="primary" disabled={save.isPending} onClick={() => put(draft)}>
        {save.isPending ? "Saving…" : "Save dashboard"}
      </Button>
    </>
  ) : (
    <>
      <ApplicationSwitch view={view} apps={apps} change={change} />
      <Button icon="filter" onClick={() => setEditing({ at: null })}>
        Filter
      </Button>
      <ComparisonPicker view={view} meta={meta} change={change} />
      <PeriodPicker live={false} view={view} meta={meta} change={change} open={picking} onOpen={setPicking} />
      <IconButton name="refresh" label="Refresh" onClick={refresh} />
      <IconButton name="screen" label="Full screen" onClick={() => setFull(true)} />
      {board.may_change && <Button onClick={() => setDraft(kept)}>Edit</Button>}
      <BoardMenu board={board} mayShare={mayShare} onChange={(body) => save.mutate(body)} onOpen={(kind) => setDialog({ kind })} onRemove={() => confirm(`Remove the dashboard “${board.name}”? Its links and e-mails end; its reports stay.`) && remove.mutate()} />
    </>
  );
  const body = (
    <>
      {changed && !draft && (
        <div className="flex flex-wrap items-center gap-2 rounded-lg bg-accent-soft px-3 py-1.5 text-[13px] text-accent-ink">
          <span className="min-w-0 flex-1">You changed the period or the filters for yourself.</span>
          <Button small kind="quiet" onClick={reset}>
            Reset
          </Button>
          {board.may_change && (
            <Button small onClick={() => save.mutate({ scope: { ...scope } }, { onSuccess: reset })}>
              Save for everyone
            </Button>
          )}
          <CopyButton small text={() => location.href} label="Copy link" />
        </div>
      )}
      {!full && <FilterChips filters={view.filters} known={known} onChange={filter} onEdit={(at) => setEditing({ at })} />}
      {save.isError && (
        <div className="grid gap-2">
          <Failure error={save.error} />
          {stale && (
            <Button
              className="justify-self-start"
              onClick={() => {
                save.reset();
                setDraft(null);
                void queries.invalidateQueries({ queryKey: ["dashboard", board.id] });
              }}
            >
              Load the current version
            </Button>
          )}
        </div>
      )}
      {remove.isError && <Failure error={remove.error} />}
      {tiles.length === 0 ? (
        <Empty
          icon="board"
          title="This dashboard is empty"
          action={
            board.may_change && (
              <div className="flex flex-wrap justify-center gap-2">
                <Button kind="primary" icon="plus" onClick={() => setDialog({ kind: "add" })}>
                  Add report
                </Button>
                <Button icon="plus" onClick={() => setDialog({ kind: "text" })}>
                  Add text
                </Button>
              </div>
            )
          }
        >
          Put saved reports on it here, or choose “Save report” on a panel of Analytics, in Explore, or under a result of SQL.
        </Empty>
      ) : (
        <Grid tiles={tiles} editing={draft !== null && !full} name={titleOf} onChange={setDraft}>
          {(tile) => (
            <TileBody
              tile={tile}
              scope={scope}
              source={consoleBoard}
              every={draft ? 0 : board.refresh_s * 1000}
              actions={
                board.may_change && !full
                  ? { onRename: () => setDialog({ kind: "tile", tile }), onRemove: () => arrange(tiles.filter((one) => one.id !== tile.id)) }
                  : null
              }
            />
          )}
        </Grid>
      )}
    </>
  );
  return (
    <div className={full ? "thin-scroll fixed inset-0 z-30 overflow-auto bg-paper" : undefined}>
      <PageFrame
        wide
        same={false}
        title={board.name}
        lead={
          full ? undefined : (
            <span className="flex flex-wrap items-center gap-2 text-[13px]">
              <Link to="/dashboards" className="text-accent-ink hover:underline">
                All dashboards
              </Link>
              {board.shared ? <Badge tone="accent">shared</Badge> : <Badge>only you</Badge>}
              {!board.mine && <span>by {board.author}</span>}
              {board.refresh_s > 0 && <span>refreshed {REFRESHES.find((one) => one.seconds === board.refresh_s)?.label.toLowerCase()}</span>}
            </span>
          )
        }
        controls={controls}
      >
        {body}
      </PageFrame>
      {editing && <FilterDialog at={editing.at} filters={view.filters} known={known} scope={scope} onChange={filter} onClose={() => setEditing(null)} />}
      {dialog?.kind === "add" && (
        <AddTile
          onClose={() => setDialog(null)}
          onAdd={(report) => {
            arrange([...tiles, fresh({ report, kind: report.kind, show: report.show, y: lowest(tiles) })]);
            setDialog(null);
          }}
        />
      )}
      {(dialog?.kind === "text" || (dialog?.kind === "tile" && !dialog.tile.kind)) && (
        <TextDialog
          text={dialog.kind === "tile" ? dialog.tile.text : ""}
          onClose={() => setDialog(null)}
          onSave={(text) => {
            arrange(dialog.kind === "tile" ? tiles.map((one) => (one.id === dialog.tile.id ? { ...one, text } : one)) : [...tiles, fresh({ text, y: lowest(tiles), w: 12, h: 2 })]);
            setDialog(null);
          }}
        />
      )}
      {dialog?.kind === "tile" && dialog.tile.kind && (
        <NameDialog
          title="Rename tile"
          label="Title on this dashboard"
          name={titleOf(dialog.tile)}
          onClose={() => setDialog(null)}
          onSave={(title) => {
            arrange(tiles.map((one) => (one.id === dialog.tile.id ? { ...one, title: title === one.report?.name ? "" : title } : one)));
            setDialog(null);
          }}
        />
      )}
      {dialog?.kind === "name" && <NameDialog title="Rename dashboard" label="Name" name={board.name} onClose={() => setDialog(null)} onSave={(name) => save.mutate({ name }, { onSuccess: () => setDialog(null) })} />}
      {dialog?.kind === "copy" && (
        <NameDialog
          title="Duplicate dashboard"
          label="Name of the copy"
          name={`${board.name}, copy`}
          onClose={() => setDialog(null)}
          onSave={async (name) => {
            const made = await ask(api.POST("/api/v1/analytics/dashboards", { body: { name, shared: false, copy_of: board.id } }));
            void queries.invalidateQueries({ queryKey: ["dashboards"] });
            setDialog(null);
            void navigate({ to: "/dashboards", search: { id: made.id } });
          }}
        />
      )}
      <Suspense>
        {dialog?.kind === "share" && <ShareLinks view={view} dashboard={board} onClose={() => setDialog(null)} />}
        {dialog?.kind === "mail" && <Mailing board={board} app={view.app} onClose={() => setDialog(null)} />}
      </Suspense>
    </div>
  );
}

function placed({ id, x, y, w, h, title, text, report }: BoardTile): Schemas["PlacedTile"] {
  return { id: id.startsWith("new-") ? "" : id, x, y, w, h, title, text, report: report?.id ?? null };
}

function fresh(more: Partial<BoardTile>): BoardTile {
  return { id: `new-${Math.random().toString(36).slice(2)}`, x: 0, y: 0, w: 6, h: 6, title: "", text: "", report: null, kind: null, show: "", withheld: "", ...more };
}

const ITEM = "flex cursor-pointer items-center gap-2.5 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken";

function BoardMenu({ board, mayShare, onChange, onOpen, onRemove }: { board: Dashboard; mayShare: boolean; onChange: (body: Schemas["GivenDashboardChange"]) => void; onOpen: (kind: "name" | "copy" | "share" | "mail") => void; onRemove: () => void }) {
  const item = (icon: IconName, label: string, run: () => void) => (
    <DropdownMenu.Item className={ITEM} onSelect={run}>
      <Icon name={icon} size={16} /> {label}
    </DropdownMenu.Item>
  );
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger aria-label="More about this dashboard" className="grid size-9 place-items-center rounded-lg border border-line-strong bg-surface text-ink-soft hover:bg-sunken">
        <Icon name="more" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={6} className="fade-in z-40 min-w-60 rounded-xl border border-line bg-raised p-1.5 shadow-float">
          {mayShare && board.may_change && item("people", board.shared ? "Make it mine only" : "Share with everyone here", () => onChange({ shared: !board.shared }))}
          {mayShare && item("link", "Share by link…", () => onOpen("share"))}
          {mayShare && item("mail", "Send by e-mail…", () => onOpen("mail"))}
          {item("copy", "Duplicate…", () => onOpen("copy"))}
          {board.may_change && item("wand", "Rename…", () => onOpen("name"))}
          {board.may_change && (
            <>
              <DropdownMenu.Label className="px-2.5 pt-2 pb-1 text-xs text-ink-faint">Refresh</DropdownMenu.Label>
              <DropdownMenu.RadioGroup value={String(board.refresh_s)} onValueChange={(value) => onChange({ refresh_s: Number(value) })}>
                {REFRESHES.map((one) => (
                  <DropdownMenu.RadioItem key={one.seconds} value={String(one.seconds)} className={`${ITEM} justify-between`}>
                    {one.label}
                    <DropdownMenu.ItemIndicator>
                      <Icon name="check" size={15} />
                    </DropdownMenu.ItemIndicator>
                  </DropdownMenu.RadioItem>
                ))}
              </DropdownMenu.RadioGroup>
              <DropdownMenu.Separator className="my-1 h-px bg-line" />
              {item("trash", "Remove dashboard", onRemove)}
            </>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** The whole screen where the browser can, else the whole window; Escape leaves either. */
function useFullScreen(): [boolean, (on: boolean) => void] {
  const [full, setFull] = useState(false);
  useEffect(() => {
    if (!full) return;
    const left = () => !document.fullscreenElement && setFull(false);
    const key = (event: KeyboardEvent) => event.key === "Escape" && setFull(false);
    document.addEventListener("fullscreenchange", left);
    addEventListener("keydown", key);
    return () => {
      document.removeEventListener("fullscreenchange", left);
      removeEventListener("keydown", key);
      if (document.fullscreenElement) void document.exitFullscreen();
    };
  }, [full]);
  const set = (on: boolean) => {
    setFull(on);
    if (on) void document.documentElement.requestFullscreen?.().catch(() => undefined);
  };
  return [full, set];
}
