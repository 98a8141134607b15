import type { ReactNode } from "react";

/** A page's frame: its title (`same`: the one that a phone shows on top already), its controls, its content. */
export function PageFrame({ title, lead, controls, children, wide, same = true }: { title: string; lead?: ReactNode; controls?: ReactNode; children: ReactNode; wide?: boolean; same?: boolean }) {
  return (
    <div className={`mx-auto grid min-w-0 grid-cols-1 gap-4 p-3 md:p-6 ${wide ? "" : "max-w-6xl"}`}>
      <header className="flex flex-wrap items-center gap-2">
        <div className={`min-w-0 flex-1 ${same && !lead ? "md:basis-40" : "basis-40"}`}>
          <h1 className={same ? "max-md:sr-only" : ""}>{title}</h1>
          {lead && <p className="text-ink-soft">{lead}</p>}
        </div>
        {controls}
      </header>
      {children}
    </div>
  );
}
