import { type ReactNode, useState } from "react";
import { Button, Failure, IconButton, Skeleton } from "../../widgets/ui";
import { DialogFrame } from "../parts/DialogFrame";
import { type Application, useApplication } from "./application";
import { History } from "./History";

/** What the figures of an application mean; its goals have a dialog of their own. */
export default function Settings({ app, onClose }: { app: string; onClose: () => void }) {
  const [draft, setDraft] = useState<Partial<Application>>({});
  const { settings, history, save } = useApplication(app, () => setDraft({}));
  const now = settings.data && { ...settings.data.complete, ...draft };
  const put = (changes: Partial<Application>) => setDraft((before) => ({ ...before, ...changes }));
  return (
    <DialogFrame title={app ? `Settings of ${app}` : "Settings of all applications"} onClose={onClose}>
      {settings.isError && <Failure error={settings.error} retry={() => void settings.refetch()} />}
      {settings.isPending && <Skeleton className="h-80" />}
      {now && (
        <form
          aria-label="Settings"
          className="grid gap-5"
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate(tidied(draft));
          }}
        >
          <p className="text-[13px] text-ink-soft">
            {app ? "" : "These hold for applications without settings of their own. "}A change holds for the past, too: figures are made again in the background, which can take some minutes.
          </p>
          <Group title="Time">
            <Labelled label="Time zone of days" note="Such as Europe/Berlin.">
              <input required list="settings-zones" className="field" value={now.zone} onChange={(event) => put({ zone: event.target.value.trim() })} />
              <datalist id="settings-zones">
                {Intl.supportedValuesOf("timeZone").map((zone) => (
                  <option key={zone} value={zone} />
                ))}
              </datalist>
            </Labelled>
            <Labelled label="Weeks begin on">
              <select className="field" value={now.week_start} onChange={(event) => put({ week_start: event.target.value as Application["week_start"] })}>
                <option value="monday">Monday</option>
                <option value="sunday">Sunday</option>
                <option value="saturday">Saturday</option>
              </select>
            </Labelled>
          </Group>
          <Group title="Engagement">
            <Labelled label="Seconds between page pings" note="The tracker's heartbeat delay.">
              <input required type="number" min={1} max={3600} className="field" value={now.heartbeat} onChange={(event) => put({ heartbeat: Number(event.target.value) })} />
            </Labelled>
            <Labelled label="Seconds before the first ping" note="The tracker's minimum visit length.">
              <input required type="number" min={0} max={3600} className="field" value={now.minimum_visit} onChange={(event) => put({ minimum_visit: Number(event.target.value) })} />
            </Labelled>
            <Labelled label="A visit bounces" wide>
              <select className="field" value={now.bounce} onChange={(event) => put({ bounce: event.target.value as Application["bounce"] })}>
                <option value="engaged">with one page view, less than 10 seconds of engagement, no interaction and no goal</option>
                <option value="single_page">with one page view and no interaction</option>
              </select>
            </Labelled>
            <Lines label="Events that nobody causes by doing something" note="Names, one a line, such as consent_shown." value={now.non_interactive} onChange={(non_interactive) => put({ non_interactive })} />
          </Group>
          <Group title="Pages">
            <Check label="/about and /about/ are one page" checked={now.paths.trailing_slash === "strip"} onChange={(on) => put({ paths: { ...now.paths, trailing_slash: on ? "strip" : "keep" } })} />
            <Check label="/About and /about are one page" checked={now.paths.lower_case} onChange={(lower_case) => put({ paths: { ...now.paths, lower_case } })} />
            <Check label="Fragments such as #/cart are part of the page" checked={now.paths.hash_routes} onChange={(hash_routes) => put({ paths: { ...now.paths, hash_routes } })} />
            <Lines label="Pages with a variable part" note="One a line, such as /user/:id or /orders/*." value={now.paths.patterns} onChange={(patterns) => put({ paths: { ...now.paths, patterns } })} />
            <Rows label="Content groups" add="Add group" fields={{ name: "Name", pattern: "Pages, such as /blog/*" }} value={now.content_groups} onChange={(content_groups) => put({ content_groups })} />
          </Group>
          <Group title="Own site and traffic">
            <Lines label="Own hosts" note="One a line, with their subdomains; they are no source of visits." value={now.own_hosts} onChange={(own_hosts) => put({ own_hosts })} />
            <Lines label="Own networks" note="One a line, such as 203.0.113.0/24. Visits from there are marked as own traffic." value={now.own_traffic.networks} onChange={(networks) => put({ own_traffic: { ...now.own_traffic, networks } })} />
            <Lines label="Domains of own users" note="One a line; of user IDs that are e-mail addresses." value={now.own_traffic.user_domains} onChange={(user_domains) => put({ own_traffic: { ...now.own_traffic, user_domains } })} />
            <Labelled label="Parameter that marks own visits" note="internal, for ?internal=1.">
              <input className="field" maxLength={200} value={now.own_traffic.parameter} onChange={(event) => put({ own_traffic: { ...now.own_traffic, parameter: event.target.value.trim() } })} />
            </Labelled>
          </Group>
          <Group title="Sources">
            <Lines label="Parameters that name the source" note="One a line; they are read where there is no utm_source." value={now.source_parameters} onChange={(source_parameters) => put({ source_parameters })} />
            <Rows
              label="Channel rules, the first that matches holds"
              add="Add rule"
              fields={{ channel: "Channel", source: "Source", medium: "utm_medium", campaign: "utm_campaign", referrer_host: "Referrer's host", click_id: "Click ID, such as gclid", landing_path: "Landing page" }}
              value={now.channels}
              onChange={(channels) => put({ channels })}
            />
          </Group>
          <Group title="Shop">
            <Check label="Count transactions as goals" checked={now.transactions} onChange={(transactions) => put({ transactions })} />
            <Labelled label="Currency of revenue" note="Such as EUR; empty: that of the first order.">
              <input className="field" pattern="[A-Za-z]{3}" maxLength={3} value={now.currency} onChange={(event) => put({ currency: event.target.value.toUpperCase() })} />
            </Labelled>
          </Group>
          {save.isError && <Failure error={save.error} />}
          <div className="flex flex-wrap items-center gap-3">
            <Button kind="primary" type="submit" disabled={save.isPending || !Object.keys(draft).length}>
              Save settings
            </Button>
            <span role="status" className="text-[13px] text-ink-soft">
              {save.isSuccess && !Object.keys(draft).length ? "Saved. Figures are being made again." : ""}
            </span>
          </div>
          <History versions={history.data} words={settingNames} />
        </form>
      )}
    </DialogFrame>
  );
}

function settingNames(settings: Record<string, unknown>): string {
  const names = Object.keys(settings);
  return names.length ? `sets ${names.map((name) => name.replaceAll("_", " ")).join(", ")}` : "all as by default";
}

/** Without the empty lines and rows that someone left behind. */
function tidied(draft: Partial<Application>): Partial<Application> {
  const lines = (texts: string[]) => texts.map((text) => text.trim()).filter(Boolean);
  const rows = <T extends object>(items: T[]) => items.filter((item) => Object.values(item).some(Boolean));
  return {
    ...draft,
    ...(draft.non_interactive && { non_interactive: lines(draft.non_interactive) }),
    ...(draft.paths && { paths: { ...draft.paths, patterns: lines(draft.paths.patterns) } }),
    ...(draft.content_groups && { content_groups: rows(draft.content_groups) }),
    ...(draft.own_hosts && { own_hosts: lines(draft.own_hosts) }),
    ...(draft.own_traffic && { own_traffic: { ...draft.own_traffic, networks: lines(draft.own_traffic.networks), user_domains: lines(draft.own_traffic.user_domains) } }),
    ...(draft.source_parameters && { source_parameters: lines(draft.source_parameters) }),
    ...(draft.channels && { channels: rows(draft.channels) }),
  };
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="grid gap-3 rounded-xl border border-line p-4 sm:grid-cols-2">
      <legend className="px-1 font-medium">{title}</legend>
      {children}
    </fieldset>
  );
}

function Labelled({ label, note, wide, children }: { label: string; note?: string; wide?: boolean; children: ReactNode }) {
  return (
    <label className={`grid content-start gap-1 ${wide ? "sm:col-span-2" : ""}`}>
      {label}
      {children}
      {note && <span className="text-[13px] text-ink-soft">{note}</span>}
    </label>
  );
}

function Check({ label, checked, onChange }: { label: string; checked: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className="flex items-center gap-2 sm:col-span-2">
      <input type="checkbox" className="accent-accent" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}

function Lines({ label, note, value, onChange }: { label: string; note: string; value: string[]; onChange: (value: string[]) => void }) {
  return (
    <Labelled label={label} note={note} wide>
      <textarea rows={Math.min(8, Math.max(2, value.length + 1))} spellCheck={false} className="field !h-auto py-1.5 font-mono text-[13px]" value={value.join("\n")} onChange={(event) => onChange(event.target.value.split("\n"))} />
    </Labelled>
  );
}

/** A list of things with the same fields, in their order. */
function Rows<T extends object>({ label, add, fields, value, onChange }: { label: string; add: string; fields: Record<keyof T & string, string>; value: T[]; onChange: (value: T[]) => void }) {
  const names = Object.keys(fields) as (keyof T & string)[];
  const empty = Object.fromEntries(names.map((name) => [name, ""])) as T;
  return (
    <div role="group" aria-label={label} className="grid gap-2 sm:col-span-2">
      <span aria-hidden="true">{label}</span>
      {value.map((row, at) => (
        <div key={at} className="flex items-start gap-2">
          <div className="grid min-w-0 flex-1 gap-2 sm:grid-cols-2">
            {names.map((name) => (
              <input
                key={name}
                aria-label={`${fields[name]}, ${at + 1}`}
                placeholder={fields[name]}
                maxLength={1000}
                required={name === names[0]}
                className="field w-full"
                value={String(row[name] ?? "")}
                onChange={(event) => onChange(value.map((one, other) => (other === at ? { ...one, [name]: event.target.value } : one)))}
              />
            ))}
          </div>
          <IconButton name="trash" label={`Remove ${at + 1}`} onClick={() => onChange(value.filter((_, other) => other !== at))} />
        </div>
      ))}
      <Button small type="button" className="justify-self-start" onClick={() => onChange([...value, empty])}>
        {add}
      </Button>
    </div>
  );
}
