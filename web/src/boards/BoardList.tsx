/** All dashboards and saved reports that one may see. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask, type Schemas } from "../api/client";
import { TITLES } from "../reports/kinds";
import { useMay } from "../shell/session";
import { ago, counted } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { Icon } from "../widgets/icons";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Empty, Failure, IconButton, Segmented, Skeleton } from "../widgets/ui";
import { NameDialog } from "./Naming";
import { startBoard } from "./starter";

export function BoardList() {
  const [search, change] = useView();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [naming, setNaming] = useState(false);
  const tab = one(search.tab) === "reports" ? "reports" : "boards";
  const boards = useQuery({ queryKey: ["dashboards"], queryFn: () => ask(api.GET("/api/v1/analytics/dashboards")) });
  const open = (id: string) => {
    void queries.invalidateQueries({ queryKey: ["dashboards"] });
    void queries.invalidateQueries({ queryKey: ["saved-reports"] });
    void navigate({ to: "/dashboards", search: { id } });
  };
  const starter = useMutation({ mutationFn: startBoard, onSuccess: (made) => open(made.id) });
  return (
    <PageFrame
      title="Dashboards"
      controls={
        <>
          <Segmented
            label="Show"
            value={tab}
            onChange={(id) => change({ tab: id === "reports" ? id : undefined })}
            options={[
              { id: "boards", label: "Dashboards" },
              { id: "reports", label: "Saved reports" },
            ]}
          />
          <Button kind="primary" icon="plus" onClick={() => setNaming(true)}>
            New dashboard
          </Button>
        </>
      }
    >
      {tab === "reports" ? (
        <Reports />
      ) : boards.isError ? (
        <Failure error={boards.error} retry={() => void boards.refetch()} />
      ) : boards.isPending ? (
        <Skeleton className="h-40" />
      ) : boards.data.length === 0 ? (
        <Empty
          icon="board"
          title="No dashboards yet"
          action={
            <div className="flex flex-wrap justify-center gap-2 pt-2">
              <Button kind="primary" disabled={starter.isPending} onClick={() => starter.mutate()}>
                {starter.isPending ? "Making it…" : "Start with a web overview"}
              </Button>
              <Button onClick={() => setNaming(true)}>Start with an empty one</Button>
            </div>
          }
        >
          A dashboard shows saved reports and texts side by side, in one period. Share it with everyone here, by link, or by e-mail.
        </Empty>
      ) : (
        <ul aria-label="Dashboards" className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
          {boards.data.map((board) => (
            <li key={board.id}>
              <Link to="/dashboards" search={{ id: board.id }} className="card flex h-full items-start gap-3 p-4 transition-colors hover:border-line-strong hover:bg-sunken">
                <span className="grid size-9 shrink-0 place-items-center rounded-lg bg-accent-soft text-accent-ink">
                  <Icon name="board" />
                </span>
                <span className="min-w-0 flex-1">
                  <bdi className="block truncate font-medium">{board.name}</bdi>
                  <span className="block text-[13px] text-ink-soft">
                    {counted(board.tiles, "tile")} · {board.mine ? "yours" : `by ${board.author}`} · changed {ago(board.changed_at)}
                  </span>
                </span>
                {board.shared && <Badge tone="accent">shared</Badge>}
              </Link>
            </li>
          ))}
        </ul>
      )}
      {starter.isError && <Failure error={starter.error} />}
      {naming && (
        <NameDialog
          title="Add dashboard"
          label="Name"
          name=""
          onClose={() => setNaming(false)}
          onSave={async (name) => {
            const made = await ask(api.POST("/api/v1/analytics/dashboards", { body: { name, shared: false } }));
            setNaming(false);
            open(made.id);
          }}
        />
      )}
    </PageFrame>
  );
}

function Reports() {
  const queries = useQueryClient();
  const mayShare = useMay("write:analytics");
  const reports = useQuery({ queryKey: ["saved-reports"], queryFn: () => ask(api.GET("/api/v1/analytics/saved-reports")) });
  const [renaming, setRenaming] = useState<Schemas["SavedReport"] | null>(null);
  const settle = () => {
    void queries.invalidateQueries({ queryKey: ["saved-reports"] });
    void queries.invalidateQueries({ queryKey: ["dashboard"] });
  };
  const change = useMutation({ mutationFn: ({ id, body }: { id: string; body: Schemas["SavedReportChange"] }) => ask(api.PATCH("/api/v1/analytics/saved-reports/{report_id}", { params: { path: { report_id: id } }, body })), onSettled: settle });
  const remove = useMutation({ mutationFn: (id: string) => ask(api.DELETE("/api/v1/analytics/saved-reports/{report_id}", { params: { path: { report_id: id } } })), onSettled: settle });
  if (reports.isError) return <Failure error={reports.error} retry={() => void reports.refetch()} />;
  if (reports.isPending) return <Skeleton className="h-40" />;
  if (!reports.data.length) {
    return (
      <Empty icon="pin" title="No saved reports yet">
        Choose “Save report” on a panel of Analytics, in Explore, or under a result of SQL.
      </Empty>
    );
  }
  return (
    <div className="card divide-y divide-line">
      {(change.isError || remove.isError) && (
        <div className="p-3">
          <Failure error={change.error ?? remove.error} />
        </div>
      )}
      {reports.data.map((report) => (
        <div key={report.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
          <Icon name={report.kind === "sql" ? "sql" : "chart"} size={17} className="text-ink-faint" />
          <span className="min-w-0 flex-1 basis-56">
            <bdi className="block truncate font-medium">{report.name}</bdi>
            <span className="block text-[13px] text-ink-soft">
              {TITLES[report.kind]} · {report.dashboards ? `on ${counted(report.dashboards, "dashboard")}` : "on no dashboard"} · {report.mine ? "yours" : `by ${report.author}`} · changed {ago(report.changed_at)}
            </span>
          </span>
          {report.shared && <Badge tone="accent">shared</Badge>}
          {report.kind === "sql" && (
            <Link to="/sql" search={{ report: report.id }} className="rounded-lg px-2 py-1 text-[13px] text-accent-ink hover:bg-accent-soft">
              Open in SQL
            </Link>
          )}
          {(report.mine || (report.shared && mayShare)) && (
            <>
              {mayShare && (
                <Button small kind="quiet" onClick={() => change.mutate({ id: report.id, body: { shared: !report.shared } })}>
                  {report.shared ? "Stop sharing" : "Share"}
                </Button>
              )}
              <IconButton name="wand" size={15} label={`Rename ${report.name}`} onClick={() => setRenaming(report)} />
              <IconButton name="trash" size={15} label={`Remove ${report.name}`} onClick={() => confirm(`Remove the report “${report.name}”?${report.dashboards ? ` It leaves ${counted(report.dashboards, "dashboard")}.` : ""}`) && remove.mutate(report.id)} />
            </>
          )}
        </div>
      ))}
      {renaming && <NameDialog title="Rename report" label="Name" name={renaming.name} onClose={() => setRenaming(null)} onSave={(name) => change.mutate({ id: renaming.id, body: { name } }, { onSuccess: () => setRenaming(null) })} />}
    </div>
  );
}
