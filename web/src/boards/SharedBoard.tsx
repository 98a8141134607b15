/** A dashboard through a share link: its own questions, in any period. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ComparisonPicker, PeriodPicker } from "../analytics/controls/PeriodPicker";
import { api, ask, type Schemas } from "../api/client";
import { PageFrame } from "../widgets/Page";
import { Empty, Failure, IconButton, Loading } from "../widgets/ui";
import { Grid } from "./Grid";
import { useBoardScope } from "./scope";
import { linkedBoard, linkedTiles } from "./source";
import { TileBody, titleOf } from "./Tile";

export default function SharedBoard({ id, ticket }: { id: string; ticket: string }) {
  const board = useQuery({
    queryKey: ["shared-dashboard", id],
    queryFn: () => ask(api.GET("/api/v1/shared/{share_id}/dashboard", { params: { path: { share_id: id } }, headers: { authorization: `Share ${ticket}` } })),
    retry: false,
  });
  if (board.isError) {
    return (
      <div className="p-4">
        <Failure error={board.error} retry={() => void board.refetch()} />
      </div>
    );
  }
  return board.data ? <Loaded id={id} ticket={ticket} board={board.data} /> : <Loading on />;
}

function Loaded({ id, ticket, board }: { id: string; ticket: string; board: Schemas["LinkedDashboard"] }) {
  const queries = useQueryClient();
  const [picking, setPicking] = useState(false);
  const { view, scope, change } = useBoardScope(board.scope);
  const source = useMemo(() => linkedBoard(id, ticket), [id, ticket]);
  const tiles = useMemo(() => linkedTiles(board), [board]);
  return (
    <PageFrame
      wide
      same={false}
      title={board.name}
      controls={
        <>
          <ComparisonPicker view={view} meta={undefined} change={change} />
          <PeriodPicker live={false} view={view} meta={undefined} change={change} open={picking} onOpen={setPicking} />
          <IconButton name="refresh" label="Refresh" onClick={() => void queries.invalidateQueries({ queryKey: ["tile"] })} />
        </>
      }
    >
      {tiles.length === 0 ? (
        <Empty icon="board" title="This dashboard is empty">
          Its author has put nothing on it yet.
        </Empty>
      ) : (
        <Grid tiles={tiles} editing={false} name={titleOf} onChange={() => undefined}>
          {(tile) => <TileBody tile={tile} scope={scope} source={source} every={board.refresh_s * 1000} actions={null} />}
        </Grid>
      )}
    </PageFrame>
  );
}
