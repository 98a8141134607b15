/** Where messages go. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schemas } from "../../api/client";
import { useMe } from "../../shell/session";
import { Badge, Button, Card, Empty, Failure, IconButton, Skeleton } from "../../widgets/ui";
import { Labelled, Words } from "./Fields";

type Shown = Schemas["ChannelShown"];
const KINDS: Record<string, string> = { webhook: "Webhook (signed JSON)", slack: "Slack, Mattermost, Rocket.Chat, Discord", teams: "Microsoft Teams", email: "E-mail" };
interface Quiet {
  zone: string;
  windows: { days?: string[]; start: string; end: string }[];
  critical_passes: boolean;
}

export function Channels() {
  const queries = useQueryClient();
  const may = useMe().data?.scopes?.includes("admin") ?? false;
  const [open, setOpen] = useState<Shown | "new" | null>(null);
  const channels = useQuery({ queryKey: ["alerts", "channels"], queryFn: () => ask(api.GET("/api/v1/alerts/channels")) });
  const remove = useMutation({ mutationFn: (id: string) => ask(api.DELETE("/api/v1/alerts/channels/{channel_id}", { params: { path: { channel_id: id } } })), onSettled: () => void queries.invalidateQueries({ queryKey: ["alerts", "channels"] }) });
  return (
    <>
      {(channels.isError || remove.isError) && <Failure error={channels.error ?? remove.error} />}
      <Card
        title="Channels"
        pad={false}
        actions={
          may && (
            <Button small icon="plus" onClick={() => setOpen("new")}>
              New channel
            </Button>
          )
        }
      >
        {channels.isPending && <Skeleton className="m-4 h-24" />}
        {channels.data?.length === 0 && (
          <Empty icon="bell" title="No channel yet">
            Alerts show on the bell. With a channel they are sent to a webhook, a chat or by e-mail, too.
          </Empty>
        )}
        <ul>
          {channels.data?.map((channel) => (
            <Row key={channel.id} channel={channel} may={may} onEdit={() => setOpen(channel)} onRemove={() => confirm(`Remove the channel ${channel.name}?`) && remove.mutate(channel.id)} />
          ))}
        </ul>
      </Card>
      {open && <Edit key={open === "new" ? "new" : open.id} channel={open === "new" ? null : open} onDone={() => setOpen(null)} />}
    </>
  );
}

function Row({ channel, may, onEdit, onRemove }: { channel: Shown; may: boolean; onEdit: () => void; onRemove: () => void }) {
  const test = useMutation({ mutationFn: () => ask(api.POST("/api/v1/alerts/channels/{channel_id}/test", { params: { path: { channel_id: channel.id } } })) });
  return (
    <li className="grid gap-2 border-b border-line px-4 py-2.5 last:border-b-0">
      <div className="flex flex-wrap items-center gap-3">
        <span className="min-w-40 flex-1">
          <span className="font-medium">{channel.name}</span> {!channel.enabled && <Badge tone="warn">off</Badge>} {channel.signed && <Badge>signed</Badge>}
          <span className="block break-all text-[13px] text-ink-soft">
            {KINDS[channel.kind]}: {channel.address}
          </span>
          {channel.off_because && <span className="block text-[13px] text-warn-ink">{channel.off_because}</span>}
        </span>
        {may && (
          <>
            <Button small disabled={test.isPending} onClick={() => test.mutate()}>
              Send a test
            </Button>
            <Button small onClick={onEdit}>
              Change
            </Button>
            <IconButton name="trash" label={`Remove ${channel.name}`} onClick={onRemove} />
          </>
        )}
      </div>
      <div aria-live="polite">
        {test.isError && <Failure error={test.error} />}
        {test.data && (
          <p className={test.data.ok ? "text-good-ink" : "text-bad-ink"}>
            {test.data.ok ? "Delivered" : "Not delivered"}: {test.data.answer}
          </p>
        )}
      </div>
    </li>
  );
}

function Edit({ channel, onDone }: { channel: Shown | null; onDone: () => void }) {
  const queries = useQueryClient();
  const known = (channel?.quiet ?? { zone: Intl.DateTimeFormat().resolvedOptions().timeZone, windows: [], critical_passes: true }) as unknown as Quiet;
  const [name, setName] = useState(channel?.name ?? "");
  const [kind, setKind] = useState(channel?.kind ?? "webhook");
  const [url, setUrl] = useState("");
  const [secret, setSecret] = useState("");
  const [to, setTo] = useState<string[]>(channel?.to ?? []);
  const [quiet, setQuiet] = useState<Quiet>(known);
  const [enabled, setEnabled] = useState(channel?.enabled ?? true);
  const save = useMutation({
    mutationFn: () => {
      const body = { name, kind, enabled, url: kind === "email" ? "" : url, secret: kind === "webhook" ? secret : "", to: kind === "email" ? to : [], quiet: { ...quiet } };
      return channel ? ask(api.PUT("/api/v1/alerts/channels/{channel_id}", { params: { path: { channel_id: channel.id } }, body })) : ask(api.POST("/api/v1/alerts/channels", { body }));
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["alerts", "channels"] });
      onDone();
    },
  });
  const window = quiet.windows[0];
  return (
    <Card title={channel ? `Change ${channel.name}` : "New channel"}>
      <form
        className="grid gap-3 sm:grid-cols-2"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Labelled text="Name">
          <input required maxLength={200} className="field" value={name} onChange={(event) => setName(event.target.value)} />
        </Labelled>
        <Labelled text="Kind">
          <select className="field" disabled={channel !== null} value={kind} onChange={(event) => setKind(event.target.value)}>
            {Object.entries(KINDS).map(([id, text]) => (
              <option key={id} value={id}>
                {text}
              </option>
            ))}
          </select>
        </Labelled>
        {kind === "email" ? (
          <Labelled text="Addresses, with commas between">
            <Words value={to} onChange={setTo} />
          </Labelled>
        ) : (
          <Labelled text={channel ? "Address (empty: as it is)" : "Address"}>
            <input type="url" required={channel === null} maxLength={2000} autoComplete="off" placeholder="https://" className="field" value={url} onChange={(event) => setUrl(event.target.value)} />
          </Labelled>
        )}
        {kind === "webhook" && (
          <Labelled text={channel?.signed ? "Secret to sign with (empty: as it is)" : "Secret to sign with"}>
            <input type="password" autoComplete="new-password" maxLength={500} className="field" value={secret} onChange={(event) => setSecret(event.target.value)} />
          </Labelled>
        )}
        <fieldset className="grid gap-2 sm:col-span-2">
          <legend className="sr-only">Quiet hours</legend>
          <label className="flex items-center gap-2">
            <input type="checkbox" checked={Boolean(window)} onChange={(event) => setQuiet({ ...quiet, windows: event.target.checked ? [{ start: "22:00", end: "07:00" }] : [] })} /> Quiet hours
          </label>
          {window && (
            <div className="flex flex-wrap items-end gap-3">
              {(["start", "end"] as const).map((side) => (
                <Labelled key={side} text={side === "start" ? "From" : "To"}>
                  <input type="time" required className="field" value={window[side]} onChange={(event) => setQuiet({ ...quiet, windows: [{ ...window, [side]: event.target.value }, ...quiet.windows.slice(1)] })} />
                </Labelled>
              ))}
              <Labelled text="Time zone">
                <input required className="field" value={quiet.zone} onChange={(event) => setQuiet({ ...quiet, zone: event.target.value })} />
              </Labelled>
              <label className="flex h-9 items-center gap-2">
                <input type="checkbox" checked={quiet.critical_passes} onChange={(event) => setQuiet({ ...quiet, critical_passes: event.target.checked })} /> Critical alerts pass
              </label>
            </div>
          )}
        </fieldset>
        <label className="flex items-center gap-2 sm:col-span-2">
          <input type="checkbox" checked={enabled} onChange={(event) => setEnabled(event.target.checked)} /> Send to it
        </label>
        {save.isError && (
          <div className="sm:col-span-2">
            <Failure error={save.error} />
          </div>
        )}
        <div className="flex gap-2 sm:col-span-2">
          <Button kind="primary" type="submit" disabled={save.isPending}>
            Save
          </Button>
          <Button onClick={onDone}>Cancel</Button>
        </div>
      </form>
    </Card>
  );
}
