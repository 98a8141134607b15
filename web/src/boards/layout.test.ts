import { describe, expect, it } from "vitest";
import { moved, packed, type Place } from "./layout";

const tile = (id: string, x: number, y: number, w = 6, h = 4): Place => ({ id, x, y, w, h });
const places = (tiles: Place[]) => Object.fromEntries(tiles.map((one) => [one.id, [one.x, one.y, one.w, one.h]]));
const apart = (tiles: Place[]) => tiles.every((a) => tiles.every((b) => a.id === b.id || a.x >= b.x + b.w || b.x >= a.x + a.w || a.y >= b.y + b.h || b.y >= a.y + a.h));

describe("tiles on a grid", () => {
  it("rise until they meet another", () => {
    expect(places(packed([tile("a", 0, 3), tile("b", 6, 9), tile("c", 0, 20)]))).toEqual({ a: [0, 0, 6, 4], b: [6, 0, 6, 4], c: [0, 4, 6, 4] });
  });
  it("make room for one that is moved onto them", () => {
    const tiles = [tile("a", 0, 0), tile("b", 6, 0), tile("c", 0, 4)];
    expect(places(moved(tiles, "c", { y: 0 }))).toEqual({ c: [0, 0, 6, 4], b: [6, 0, 6, 4], a: [0, 4, 6, 4] });
  });
  it("stay on the grid and large enough", () => {
    expect(places(moved([tile("a", 0, 0)], "a", { x: 11, w: 1, h: 99 }))).toEqual({ a: [10, 0, 2, 40] });
    expect(places(moved([tile("a", 0, 0)], "a", { x: -3, y: -1, w: 30 }))).toEqual({ a: [0, 0, 12, 4] });
  });
  it("never lie over another, wherever one is moved", () => {
    const tiles = packed([tile("a", 0, 0, 4, 3), tile("b", 3, 0, 5, 2), tile("c", 8, 0, 4, 6), tile("d", 0, 5, 12, 2), tile("e", 2, 9, 7, 3)]);
    for (let x = 0; x < 12; x += 1) for (let y = 0; y < 14; y += 1) for (const { id } of tiles) expect(apart(moved(tiles, id, { x, y }))).toBe(true);
  });
});
