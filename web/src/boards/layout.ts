/** Where tiles lie on a grid of twelve columns: none over another, and each as high up as it can be. */

export const COLUMNS = 12;
export const LEAST_WIDTH = 2;
export const LEAST_HEIGHT = 2;
const MOST_HEIGHT = 40;

export interface Place {
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

function overlap(a: Place, b: Place): boolean {
  return a.id !== b.id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

export function inReadingOrder<T extends Place>(tiles: T[]): T[] {
  return [...tiles].sort((a, b) => a.y - b.y || a.x - b.x || a.id.localeCompare(b.id));
}

/** Without gaps: from the top on, each tile rises until it meets another. Of two that overlap, `first` keeps its place. */
export function packed<T extends Place>(tiles: T[], first?: string): T[] {
  const done: T[] = [];
  const order = [...tiles].sort((a, b) => a.y - b.y || (a.id === first ? -1 : b.id === first ? 1 : a.x - b.x || a.id.localeCompare(b.id)));
  for (const tile of order) {
    let y = tile.y;
    while (done.some((other) => overlap({ ...tile, y }, other))) y += 1;
    while (y > 0 && !done.some((other) => overlap({ ...tile, y: y - 1 }, other))) y -= 1;
    done.push({ ...tile, y });
  }
  return inReadingOrder(done);
}

/** With one tile at another place, or of another size; the others make room. */
export function moved<T extends Place>(tiles: T[], id: string, to: Partial<Omit<Place, "id">>): T[] {
  return packed(
    tiles.map((tile) => (tile.id === id ? fitting({ ...tile, ...to }) : tile)),
    id,
  );
}

/** On the grid, and not too small for what it shows. */
function fitting<T extends Place>(tile: T): T {
  const w = Math.min(COLUMNS, Math.max(LEAST_WIDTH, tile.w));
  const h = Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, tile.h));
  return { ...tile, w, h, x: Math.min(COLUMNS - w, Math.max(0, tile.x)), y: Math.max(0, tile.y) };
}

export function lowest(tiles: Place[]): number {
  return tiles.reduce((most, tile) => Math.max(most, tile.y + tile.h), 0);
}
