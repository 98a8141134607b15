/** Tiles on a grid of twelve columns; one column on a phone. In editing, tiles are moved and sized by pointer or keys. */
import { type KeyboardEvent, type PointerEvent as Pointer, type ReactNode, useRef, useState } from "react";
import { Icon } from "../widgets/icons";
import { COLUMNS, inReadingOrder, moved, type Place } from "./layout";

const ROW = 44;
const GAP = 16;

interface Props<T extends Place> {
  tiles: T[];
  editing: boolean;
  name: (tile: T) => string;
  onChange: (tiles: T[]) => void;
  children: (tile: T) => ReactNode;
}

export function Grid<T extends Place>({ tiles, editing, name, onChange, children }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const begin = (tile: T, sizing: boolean) => (event: Pointer) => {
    if (!box.current || event.button !== 0) return;
    event.preventDefault();
    const [x, y] = [event.clientX, event.clientY + scrollY];
    const column = (box.current.clientWidth + GAP) / COLUMNS;
    const before = tiles;
    setHeld(tile.id);
    const move = (at: globalThis.PointerEvent) => {
      const right = Math.round((at.clientX - x) / column);
      const down = Math.round((at.clientY + scrollY - y) / (ROW + GAP));
      onChange(moved(before, tile.id, sizing ? { w: tile.w + right, h: tile.h + down } : { x: tile.x + right, y: tile.y + down }));
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      setHeld(null);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  };
  const press = (tile: T) => (event: KeyboardEvent) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const [right = 0, down = 0] = step;
    const next = moved(tiles, tile.id, event.shiftKey ? { w: tile.w + right, h: tile.h + down } : { x: tile.x + right, y: tile.y + (down > 0 ? stepDown(tiles, tile) : down) });
    onChange(next);
    const now = next.find((one) => one.id === tile.id);
    if (now) setSaid(`${name(tile)}: column ${now.x + 1}, row ${now.y + 1}, ${now.w} wide, ${now.h} high`);
  };
  return (
    <>
      <div ref={box} className="board-grid">
        {inReadingOrder(tiles).map((tile) => (
          <section
            key={tile.id}
            aria-label={name(tile)}
            className={`card board-tile relative min-w-0 ${held === tile.id ? "z-10 ring-2 ring-accent" : ""} ${held ? "select-none" : ""}`}
            style={{ "--column": `${tile.x + 1} / span ${tile.w}`, "--row": `${tile.y + 1} / span ${tile.h}`, "--height": `${tile.h * ROW + (tile.h - 1) * GAP}px` }}
          >
            {editing && (
              <button
                type="button"
                aria-label={`Move ${name(tile)}`}
                title="Drag to move. With the keyboard: arrow keys move, Shift and arrow keys change the size."
                onPointerDown={begin(tile, false)}
                onKeyDown={press(tile)}
                className="absolute inset-x-0 top-0 z-10 mx-auto grid h-6 w-14 cursor-grab touch-none place-items-center rounded-b-lg bg-accent-soft text-accent-ink active:cursor-grabbing max-md:hidden"
              >
                <Icon name="grip" size={15} />
              </button>
            )}
            {children(tile)}
            {editing && (
              <span aria-hidden="true" title="Drag to change the size" onPointerDown={begin(tile, true)} className="absolute right-0 bottom-0 grid size-6 cursor-nwse-resize touch-none place-items-center text-ink-faint max-md:hidden">
                <svg width="12" height="12" viewBox="0 0 12 12" className="stroke-current" strokeWidth="1.5">
                  <path d="M11 4 4 11M11 8l-3 3" />
                </svg>
              </span>
            )}
          </section>
        ))}
      </div>
      <p role="status" className="sr-only">
        {said}
      </p>
    </>
  );
}

/** Below the tile that stands under it: a step of one row would only be packed away. */
function stepDown<T extends Place>(tiles: T[], tile: T): number {
  const under = tiles.filter((other) => other.y >= tile.y + tile.h && other.x < tile.x + tile.w && tile.x < other.x + other.w);
  const next = inReadingOrder(under)[0];
  return next ? next.h : 1;
}
