/** The small parts that every page is made of. */
import { Link } from "@tanstack/react-router";
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { useEffect, useRef, useState } from "react";
import { ApiError } from "../api/client";
import { Icon, type IconName } from "./icons";

type Kind = "plain" | "primary" | "quiet" | "danger";
const KINDS: Record<Kind, string> = {
  plain: "border border-line-strong bg-surface hover:bg-sunken text-ink",
  primary: "bg-accent text-on-accent font-medium hover:brightness-110 border border-transparent",
  quiet: "border border-transparent text-ink-soft hover:bg-sunken hover:text-ink",
  danger: "border border-line-strong bg-surface text-bad-ink hover:bg-bad-soft",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: Kind;
  icon?: IconName;
  small?: boolean;
}

export function Button({ kind = "plain", icon, small, className = "", children, ...rest }: ButtonProps) {
  const size = small ? "h-7 px-2 text-[13px] gap-1" : "h-9 px-3 gap-1.5";
  return (
    <button type="button" className={`inline-flex shrink-0 items-center justify-center whitespace-nowrap rounded-lg transition-colors ${size} ${KINDS[kind]} ${className}`} {...rest}>
      {icon && <Icon name={icon} size={small ? 15 : 16} />}
      {children}
    </button>
  );
}

export function IconButton({ name, label, size = 17, className = "", ...rest }: { name: IconName; label: string; size?: number } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" aria-label={label} title={label} className={`inline-grid size-8 shrink-0 place-items-center rounded-lg text-ink-soft transition-colors hover:bg-sunken hover:text-ink ${className}`} {...rest}>
      <Icon name={name} size={size} />
    </button>
  );
}

export function CopyButton({ text, label = "Copy", small, kind }: { text: string | (() => string); label?: string; small?: boolean; kind?: Kind }) {
  const [done, setDone] = useState(false);
  const timer = useRef<number>(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    const value = typeof text === "function" ? text() : text;
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // without a secure context there is no clipboard API
      const area = document.createElement("textarea");
      area.value = value;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    setDone(true);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setDone(false), 2000);
  };
  return (
    <Button small={small} kind={kind} icon={done ? "check" : "copy"} onClick={() => void copy()}>
      <span aria-live="polite">{done ? "Copied" : label}</span>
    </Button>
  );
}

export type Tone = "good" | "bad" | "warn" | "plain" | "accent";
const TONES: Record<Tone, string> = {
  good: "bg-good-soft text-good-ink",
  bad: "bg-bad-soft text-bad-ink",
  warn: "bg-warn-soft text-warn-ink",
  accent: "bg-accent-soft text-accent-ink",
  plain: "bg-sunken text-ink-soft",
};

export function Badge({ tone = "plain", children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span title={title} className={`inline-flex items-center gap-1 whitespace-nowrap rounded-md px-1.5 py-0.5 align-middle text-xs font-medium ${TONES[tone]}`}>
      {children}
    </span>
  );
}

export function Card({ id, title, actions, children, className = "", pad = true, label }: { id?: string; title?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string; pad?: boolean; label?: string }) {
  return (
    <section id={id} className={`card min-w-0 ${className}`} aria-label={label ?? (typeof title === "string" ? title : undefined)}>
      {(title || actions) && (
        <header className="flex min-h-11 flex-wrap items-center gap-2 border-b border-line px-4 py-2">
          <h2 className="min-w-0 flex-1">{title}</h2>
          {actions}
        </header>
      )}
      <div className={pad ? "p-4" : ""}>{children}</div>
    </section>
  );
}

export function Segmented<T extends string>({ value, options, onChange, label }: { value: T; options: { id: T; label: ReactNode }[]; onChange: (id: T) => void; label: string }) {
  return (
    <div role="group" aria-label={label} className="inline-flex items-center rounded-lg border border-line bg-sunken p-0.5">
      {options.map((option) => (
        <button
          key={option.id}
          type="button"
          aria-pressed={option.id === value}
          onClick={() => onChange(option.id)}
          className={`h-7 whitespace-nowrap rounded-md px-2.5 text-[13px] transition-colors ${option.id === value ? "bg-raised font-medium text-ink shadow-card" : "text-ink-soft hover:text-ink"}`}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function Empty({ icon = "search", title, children, action }: { icon?: IconName; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-2 px-6 py-12 text-center">
      <span className="grid size-11 place-items-center rounded-xl bg-sunken text-ink-faint">
        <Icon name={icon} size={22} />
      </span>
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-md text-ink-soft">{children}</div>}
      {action}
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const text = error instanceof Error ? error.message : String(error);
  return (
    <div role="alert" className="flex flex-wrap items-center gap-3 rounded-lg border border-bad/40 bg-bad-soft px-3 py-2 text-bad-ink">
      <Icon name="alert" />
      <span className="min-w-0 flex-1 break-words">{text}</span>
      {retry && !(error instanceof ApiError && error.status === 403) && (
        <Button small onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

export function Skeleton({ className = "h-4 w-full" }: { className?: string }) {
  return <div aria-hidden="true" className={`animate-pulse rounded-md bg-sunken ${className}`} />;
}

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className="rounded border border-line-strong bg-sunken px-1.5 py-px text-[11px] text-ink-soft">{children}</kbd>;
}

/** A thin moving line while something loads. */
export function Loading({ on }: { on: boolean }) {
  return (
    <div className="h-0.5 overflow-hidden" aria-hidden="true">
      {on && <div className="progress-bar h-full w-1/3 rounded bg-accent" />}
    </div>
  );
}

/** A number with its name; `to` and `search` are the page that shows what it counts. */
export function Figure({ label, value, note, tone, to, search }: { label: string; value: ReactNode; note?: ReactNode; tone?: "good" | "bad" | "warn"; to?: string; search?: Record<string, string> }) {
  const color = tone === "bad" ? "text-bad-ink" : tone === "good" ? "text-good-ink" : tone === "warn" ? "text-warn-ink" : "";
  const body = (
    <>
      <span className="text-[13px] text-ink-soft">{label}</span>
      <span className={`tabular text-xl font-semibold tracking-tight ${color}`}>{value}</span>
      {note && <span className="text-xs text-ink-faint">{note}</span>}
    </>
  );
  const shape = "card grid min-w-0 content-start gap-0.5 px-4 py-3 text-left";
  return to ? (
    <Link to={to} search={search} className={`${shape} transition-colors hover:border-line-strong hover:bg-sunken`}>
      {body}
    </Link>
  ) : (
    <div className={shape}>{body}</div>
  );
}
