/** Invitations that nobody has accepted yet; nothing where there are none. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { time } from "../../view/format";
import { Badge, Button, Card, Failure } from "../../widgets/ui";

export function Invitations() {
  const queries = useQueryClient();
  const invitations = useQuery({ queryKey: ["invitations"], queryFn: () => ask(api.GET("/api/v1/access/invitations")) });
  const revoke = useMutation({
    mutationFn: (id: string) => ask(api.DELETE("/api/v1/access/invitations/{invitation_id}", { params: { path: { invitation_id: id } } })),
    onSettled: () => void queries.invalidateQueries({ queryKey: ["invitations"] }),
  });
  if (invitations.isError) return <Failure error={invitations.error} retry={() => void invitations.refetch()} />;
  if (!invitations.data?.length) return null;
  return (
    <Card title="Invitations" pad={false}>
      {revoke.isError && <Failure error={revoke.error} />}
      <ul>
        {invitations.data.map((one) => (
          <li key={one.id} className="flex flex-wrap items-center gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
            <span className="min-w-40 flex-1">
              <span className="font-medium">{one.name}</span> <Badge>{one.role}</Badge> {one.apps.map((app) => <Badge key={app} tone="accent">only {app}</Badge>)}
              <span className="block text-[13px] text-ink-soft">
                invited by {one.created_by} · expires {time(one.expires_at)}
              </span>
            </span>
            <Button small kind="danger" disabled={revoke.isPending} onClick={() => revoke.mutate(one.id)}>
              Revoke
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
