/** What changed, the gravest first; accept it, ignore it, or open it again. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Waiting } from "../../analytics/parts/Waiting";
import { api, ask, type Schemas } from "../../api/client";
import { SEVERITY } from "../../shell/Bell";
import { useMay } from "../../shell/session";
import { Badge, Button, Card, Empty, Failure } from "../../widgets/ui";

type Drift = Schemas["DriftEntry"];

export function DriftList({ drifts, app }: { drifts: Drift[]; app: string }) {
  const properties = useQuery({ queryKey: ["plan", "properties", app], queryFn: ({ signal }) => ask(api.GET("/api/v1/plan/properties/drift", { params: { query: app ? { app: [app] } : {} }, signal })), staleTime: 60_000, retry: false });
  const all = [...drifts, ...(properties.data ?? [])];
  return (
    <div className="grid gap-4">
      {all.length > 0 ? (
        <Card label="Drift" pad={false}>
          <Entries drifts={all} />
        </Card>
      ) : (
        properties.data && <Empty title="Nothing drifts">The last day is as the 14 days before, and all of it is in the plan.</Empty>
      )}
      {properties.isPending && <Waiting what="properties of the most frequent events" />}
      {properties.isError && <Failure error={properties.error} retry={() => void properties.refetch()} />}
    </div>
  );
}

/** `of`: the event that they are about, where they are about what it carries. */
export function Entries({ drifts }: { drifts: Drift[] }) {
  const may = useMay("write:alerts");
  const queries = useQueryClient();
  const decide = useMutation({
    mutationFn: ({ drift, status }: { drift: Drift; status: string }) => {
      const carried = PROPERTIES.includes(drift.kind);
      const event = carried ? drift.subject.slice(0, drift.subject.indexOf(": ")) : "";
      return ask(api.PUT("/api/v1/plan/drift/{drift_id}", { params: { path: { drift_id: drift.id } }, body: { status, app: carried ? drift.app : "", event } }));
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["plan"] }),
  });
  return (
    <>
      {decide.isError && <Failure error={decide.error} />}
      <ul aria-label="Drift">
        {drifts.map((drift) => (
          <li key={drift.id} className={`flex flex-wrap items-center gap-2 border-b border-line px-4 py-3 last:border-b-0 ${drift.status === "open" ? "" : "text-ink-soft"}`}>
            <Badge tone={drift.status === "open" ? SEVERITY[drift.severity] : "plain"}>{drift.status === "open" ? drift.severity : drift.status}</Badge>
            <span className="min-w-48 flex-1 break-words">{drift.summary}</span>
            {may &&
              (drift.status === "open" ? (
                <>
                  <Button small disabled={decide.isPending} onClick={() => decide.mutate({ drift, status: "accepted" })}>
                    Accept
                  </Button>
                  <Button small kind="quiet" disabled={decide.isPending} onClick={() => decide.mutate({ drift, status: "ignored" })}>
                    Ignore
                  </Button>
                </>
              ) : (
                <Button small kind="quiet" disabled={decide.isPending} onClick={() => decide.mutate({ drift, status: "open" })}>
                  Open again
                </Button>
              ))}
          </li>
        ))}
      </ul>
    </>
  );
}

const PROPERTIES = ["property_gone", "new_property", "type_changed", "presence_shift"];
