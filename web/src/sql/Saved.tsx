import { useQuery } from "@tanstack/react-query";
import { api, ask, type Schemas } from "../api/client";
import { Badge, Button, Card, Failure } from "../widgets/ui";

/** Saved queries of one's own and of others; a click opens and runs one. */
export function SavedQueries({ onOpen }: { onOpen: (report: Schemas["SavedReport"]) => void }) {
  const reports = useQuery({ queryKey: ["saved-reports"], queryFn: () => ask(api.GET("/api/v1/analytics/saved-reports")), retry: false });
  const queries = reports.data?.filter((one) => one.kind === "sql") ?? [];
  if (reports.isError) return <Failure error={reports.error} />;
  if (!queries.length) return null;
  return (
    <Card title="Saved queries" pad={false}>
      <ul tabIndex={0} aria-label="Saved queries" className="thin-scroll max-h-52 overflow-auto p-1.5">
        {queries.map((report) => (
          <li key={report.id}>
            <button type="button" onClick={() => onOpen(report)} className="flex w-full items-center gap-2 rounded-md px-2 py-1 text-left hover:bg-sunken">
              <bdi className="min-w-0 flex-1 truncate">{report.name}</bdi>
              {report.shared && <Badge>shared</Badge>}
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What was asked before, as the server keeps it for this person. */
export function History({ queries, onPick, onClear }: { queries: Schemas["PastQuery"][]; onPick: (sql: string) => void; onClear: () => void }) {
  if (!queries.length) return null;
  return (
    <Card
      title="History"
      pad={false}
      actions={
        <Button small kind="quiet" onClick={onClear}>
          Clear history
        </Button>
      }
    >
      <ul tabIndex={0} aria-label="Queries asked before" className="thin-scroll max-h-60 overflow-auto p-1.5">
        {queries.map(({ sql, at }) => (
          <li key={`${at} ${sql}`}>
            <button type="button" onClick={() => onPick(sql)} title={`${new Date(at).toLocaleString()}\n${sql}`} className="block w-full truncate rounded-md px-2 py-1 text-left font-mono text-xs hover:bg-sunken">
              {sql.replace(/\s+/g, " ")}
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
