import { type ReactNode, useEffect, useRef, useState } from "react";
import { IconButton } from "./ui";

const LEAST = 320;
const MOST = 900;

/** A panel at the right, as wide as it is pulled (remembered); the whole screen on a phone. Escape closes it. */
export function SidePanel({ title, actions, onClose, children }: { title: ReactNode; actions?: ReactNode; onClose: () => void; children: ReactNode }) {
  const [width, setWidth] = useState(() => clamp(Number(remembered()) || 460));
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.focus();
    return () => before?.focus?.();
  }, []);
  useEffect(() => {
    // on a wide screen the page makes room, so that the panel covers nothing
    document.documentElement.style.setProperty("--panel-room", `${width}px`);
    return () => void document.documentElement.style.removeProperty("--panel-room");
  }, [width]);
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) onClose();
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [onClose]);
  const pull = (event: React.PointerEvent) => {
    event.preventDefault();
    const move = (at: PointerEvent) => setWidth(clamp(innerWidth - at.clientX));
    const end = () => {
      removeEventListener("pointermove", move);
      setWidth((now) => {
        remember(now);
        return now;
      });
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end, { once: true });
  };
  const resize = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? 40 : event.key === "ArrowRight" ? -40 : 0;
    if (step) setWidth((now) => clamp(now + step));
  };
  return (
    <aside
      ref={box}
      tabIndex={-1}
      aria-label={typeof title === "string" ? title : "Details"}
      className="slide-in fixed inset-0 z-30 flex flex-col border-l border-line bg-surface shadow-float outline-none md:left-auto md:w-(--panel)"
      style={{ "--panel": `${width}px` }}
    >
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the panel"
        aria-valuenow={width}
        aria-valuemin={LEAST}
        aria-valuemax={MOST}
        tabIndex={0}
        onPointerDown={pull}
        onKeyDown={resize}
        className="absolute inset-y-0 -left-1 hidden w-2 cursor-col-resize hover:bg-accent/30 md:block"
      />
      <header className="flex min-h-13 items-center gap-2 border-b border-line px-4">
        <h2 className="min-w-0 flex-1 truncate">{title}</h2>
        {actions}
        <IconButton name="close" label="Close panel" onClick={onClose} />
      </header>
      <div className="thin-scroll min-h-0 flex-1 overflow-auto p-4">{children}</div>
    </aside>
  );
}

function clamp(width: number): number {
  return Math.min(MOST, Math.max(LEAST, width));
}
function remembered(): string | null {
  try {
    return localStorage.getItem("panel");
  } catch {
    return null;
  }
}
function remember(width: number): void {
  try {
    localStorage.setItem("panel", String(width));
  } catch {
    // remembered for this page only then
  }
}
