/** The form of an alert. */
import { type ReactNode, useState } from "react";
import type { Schemas } from "../../api/client";
import { KINDS, type Param, type Rule } from "./kinds";

type Draft = Omit<Rule, "id">;

export function Fields({ rule, channels, known, onChange, onWrong }: { rule: Draft; channels: Schemas["ChannelShown"][]; known: boolean; onChange: (rule: Draft) => void; onWrong: (text: string) => void }) {
  const kind = KINDS[rule.condition.kind];
  const set = (patch: Partial<Draft>) => onChange({ ...rule, ...patch });
  const put = (name: string, value: unknown) => set({ condition: { ...rule.condition, [name]: value } });
  return (
    <>
      <Labelled text="Name">
        <input required maxLength={200} className="field" value={rule.name} onChange={(event) => set({ name: event.target.value })} />
      </Labelled>
      <Labelled text="What is watched">
        <select className="field" disabled={known} value={rule.condition.kind} onChange={(event) => set({ apps: [], condition: { kind: event.target.value, ...KINDS[event.target.value]?.start } })}>
          {Object.entries(KINDS).map(([id, { title }]) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </Labelled>
      <div className="grid gap-3 sm:grid-cols-2">
        {kind?.fields.map((field) => (
          <ParamField key={`${rule.condition.kind} ${field.name}`} field={field} value={rule.condition[field.name]} onChange={(value) => put(field.name, value)} onWrong={onWrong} />
        ))}
      </div>
      {kind?.apps && (
        <Labelled text="Applications, with commas between (none: all)">
          <Words value={rule.apps} onChange={(apps) => set({ apps })} />
        </Labelled>
      )}
      <div className="grid gap-3 sm:grid-cols-2">
        <Labelled text="Severity">
          <select className="field" value={rule.severity} onChange={(event) => set({ severity: event.target.value as Rule["severity"] })}>
            {["info", "warn", "critical"].map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </Labelled>
        <Whole text="Reminder after hours (0: none)" value={rule.remind_hours} min={0} onChange={(remind_hours) => set({ remind_hours })} />
        <Whole text="Failed checks before it fires" value={rule.for_checks} min={1} onChange={(for_checks) => set({ for_checks })} />
        <Whole text="Passed checks before it resolves" value={rule.resolve_checks} min={1} onChange={(resolve_checks) => set({ resolve_checks })} />
      </div>
      <fieldset className="grid gap-1">
        <legend>Send to</legend>
        {channels.length === 0 && <p className="text-[13px] text-ink-soft">No channels yet: the alert shows on the bell only. An admin can add a channel under Channels.</p>}
        {channels.map((channel) => (
          <label key={channel.id} className="flex items-center gap-2">
            <input type="checkbox" checked={rule.channels.includes(channel.id)} onChange={(event) => set({ channels: event.target.checked ? [...rule.channels, channel.id] : rule.channels.filter((one) => one !== channel.id) })} />
            {channel.name} <span className="text-[13px] text-ink-soft">{channel.kind}</span>
          </label>
        ))}
      </fieldset>
      <Labelled text="Owner">
        <input maxLength={200} className="field" value={rule.owner} onChange={(event) => set({ owner: event.target.value })} />
      </Labelled>
      <Labelled text="Note: what to do, or a link to it">
        <textarea maxLength={2000} rows={2} className="field h-auto py-1.5" value={rule.note} onChange={(event) => set({ note: event.target.value })} />
      </Labelled>
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={rule.enabled} onChange={(event) => set({ enabled: event.target.checked })} /> Enabled
      </label>
    </>
  );
}

export function Labelled({ text, children }: { text: string; children: ReactNode }) {
  return (
    <label className="grid min-w-0 content-start gap-1">
      {text}
      {children}
    </label>
  );
}

function Whole({ text, value, min, onChange }: { text: string; value: number; min: number; onChange: (value: number) => void }) {
  return (
    <Labelled text={text}>
      <input type="number" required step={1} min={min} className="field" value={value} onChange={(event) => onChange(Number(event.target.value))} />
    </Labelled>
  );
}

export function Words({ value, onChange }: { value: string[]; onChange: (value: string[]) => void }) {
  const [text, setText] = useState(value.join(", "));
  return (
    <input
      className="field"
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        onChange(
          event.target.value
            .split(",")
            .map((one) => one.trim())
            .filter(Boolean),
        );
      }}
    />
  );
}

function ParamField({ field, value, onChange, onWrong }: { field: Param; value: unknown; onChange: (value: unknown) => void; onWrong: (text: string) => void }) {
  const [json, setJson] = useState(() => JSON.stringify(value, null, 1));
  if (field.type === "flag") {
    return (
      <label className="flex items-center gap-2 sm:col-span-2">
        <input type="checkbox" checked={Boolean(value)} onChange={(event) => onChange(event.target.checked)} /> {field.label}
      </label>
    );
  }
  if (field.type === "choice") {
    const options = field.options ?? [];
    return (
      <Labelled text={field.label}>
        <select className="field" value={String(value)} onChange={(event) => onChange(options.find((one) => String(one) === event.target.value))}>
          {options.map((one) => (
            <option key={one} value={one}>
              {String(one).replace("_", " ")}
            </option>
          ))}
        </select>
      </Labelled>
    );
  }
  if (field.type === "words") {
    return (
      <div className="sm:col-span-2">
        <Labelled text={field.label}>
          <Words value={(value as string[]) ?? []} onChange={onChange} />
        </Labelled>
      </div>
    );
  }
  if (field.type === "json") {
    return (
      <div className="sm:col-span-2">
        <Labelled text={field.label}>
          <textarea
            rows={5}
            spellCheck={false}
            className="field h-auto py-1.5 font-mono text-[13px]"
            value={json}
            onChange={(event) => {
              setJson(event.target.value);
              try {
                onChange(JSON.parse(event.target.value));
                onWrong("");
              } catch {
                onWrong("The question is not JSON.");
              }
            }}
          />
        </Labelled>
      </div>
    );
  }
  return (
    <Labelled text={field.label}>
      <input type="number" required step="any" min={field.min} className="field" value={Number(value)} onChange={(event) => onChange(Number(event.target.value))} />
    </Labelled>
  );
}
