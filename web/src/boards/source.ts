/** A dashboard as its page draws it, in the console or through a share link. */
import type { Scope } from "../analytics/view/question";
import { api, ask, type Schemas } from "../api/client";

export type ReportAnswer = Schemas["ReportAnswer"];

export interface BoardTile {
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
  /** As it is written on the tile; empty: the report's name. */
  title: string;
  text: string;
  /** The saved report it shows; through a link only its kind is known. */
  report: Schemas["SavedReport"] | null;
  kind: ReportAnswer["kind"] | null;
  show: string;
  /** Why nothing is shown; empty: it is. */
  withheld: string;
}

export interface BoardSource {
  /** Tells the answers of one source from another's. */
  key: string;
  answer: (tile: BoardTile, scope: Scope, signal: AbortSignal) => Promise<ReportAnswer>;
}

export const consoleBoard: BoardSource = {
  key: "",
  answer: (tile, scope, signal) => ask(api.POST("/api/v1/analytics/saved-reports/{report_id}/answer", { params: { path: { report_id: tile.report?.id ?? "" } }, body: { scope: { ...scope } }, signal })),
};

export function linkedBoard(id: string, ticket: string): BoardSource {
  const headers = { authorization: `Share ${ticket}` };
  return {
    key: id,
    answer: (tile, { date_range, timezone, include }, signal) =>
      ask(api.POST("/api/v1/shared/{share_id}/tiles/{tile_id}", { params: { path: { share_id: id, tile_id: tile.id } }, headers, body: { scope: { date_range, ...(timezone ? { timezone } : {}), include: { ...include } } }, signal })),
  };
}

export function tilesOf(board: Schemas["Dashboard"]): BoardTile[] {
  return board.tiles.map((tile) => ({
    ...tile,
    kind: tile.report?.kind ?? null,
    show: tile.report?.show ?? "",
    withheld: tile.withheld ? "Its author does not share this report any more." : "",
  }));
}

export function linkedTiles(board: Schemas["LinkedDashboard"]): BoardTile[] {
  return board.tiles.map(({ shown, ...tile }) => ({ ...tile, report: null, withheld: shown ? "" : "Results of SQL are not shown by a link." }));
}
