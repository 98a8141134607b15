import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { DropdownMenu } from "radix-ui";
import { lazy, Suspense } from "react";
import type { Scope } from "../analytics/view/question";
import { useSeen } from "../analytics/parts/useSeen";
import { readAnswered } from "../reports/kinds";
import { Icon } from "../widgets/icons";
import { Failure, Skeleton } from "../widgets/ui";
import { useSlow } from "../widgets/useSlow";
import { Markdown } from "./Markdown";
import type { BoardSource, BoardTile } from "./source";

const ResultView = lazy(() => import("../reports/ResultView").then((file) => ({ default: file.ResultView })));
const ITEM = "flex cursor-pointer items-center gap-2.5 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-sunken";

export interface TileActions {
  onRename: () => void;
  onRemove: () => void;
}

interface Props {
  tile: BoardTile;
  scope: Scope;
  source: BoardSource;
  /** Milliseconds between two questions; 0: none. */
  every: number;
  actions: TileActions | null;
}

export function titleOf(tile: BoardTile): string {
  return tile.title || tile.report?.name || (tile.kind ? "Report" : "Text");
}

/** What stands on a tile: its title and menu, and the report's answer or a text. */
export function TileBody({ tile, scope, source, every, actions }: Props) {
  const [box, seen] = useSeen<HTMLDivElement>();
  const text = tile.kind === null && !tile.withheld;
  const bare = text && !tile.title;
  return (
    <div ref={box} className="flex h-full min-h-0 flex-col">
      {!(bare && !actions) && (
        <header className={`flex min-h-10 items-center gap-2 pr-1.5 pl-4 ${bare ? "absolute top-0 right-0" : ""}`}>
          {!bare && (
            <h2 className="min-w-0 flex-1 truncate text-[14px]">
              <bdi title={titleOf(tile)}>{titleOf(tile)}</bdi>
            </h2>
          )}
          {actions && <Menu tile={tile} scope={scope} actions={actions} />}
        </header>
      )}
      <div tabIndex={0} role="group" aria-label={titleOf(tile)} className={`thin-scroll min-h-0 flex-1 overflow-auto rounded-b-xl px-4 pb-3 ${bare ? "pt-3" : ""}`}>
        {tile.withheld ? <p className="grid h-full place-content-center text-center text-[13px] text-ink-soft">{tile.withheld}</p> : text ? <Markdown text={tile.text} /> : seen ? <Answer tile={tile} scope={scope} source={source} every={every} /> : null}
      </div>
    </div>
  );
}

function Answer({ tile, scope, source, every }: Omit<Props, "actions">) {
  const answer = useQuery({
    queryKey: ["tile", source.key, tile.report?.id ?? tile.id, tile.report?.changed_at, scope],
    queryFn: ({ signal }) => source.answer(tile, scope, signal),
    staleTime: 30_000,
    refetchInterval: every || false,
    refetchOnWindowFocus: false,
    retry: false,
  });
  const slow = useSlow(answer.isPending);
  if (answer.isError) return <Failure error={answer.error} retry={() => void answer.refetch()} />;
  if (answer.isPending) {
    return (
      <div className="grid h-full content-start gap-2" role="status">
        <span className="sr-only">Loading {titleOf(tile)}</span>
        {slow && <p className="text-[13px] text-ink-soft">Waiting for the store to count…</p>}
        <Skeleton className="h-6 w-2/3" />
        <Skeleton className="h-24" />
      </div>
    );
  }
  const answered = readAnswered(answer.data);
  if (!answered) return <Failure error={`This version cannot show a report of the kind ${answer.data.kind}. Reload the page.`} />;
  return (
    <Suspense fallback={<Skeleton className="h-24" />}>
      <ResultView {...answered} show={tile.show} compact />
    </Suspense>
  );
}

function Menu({ tile, scope, actions }: { tile: BoardTile; scope: Scope; actions: TileActions }) {
  const { report } = tile;
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger aria-label={`More about ${titleOf(tile)}`} className="grid size-8 shrink-0 place-items-center rounded-lg text-ink-soft hover:bg-sunken hover:text-ink">
        <Icon name="more" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={4} className="fade-in z-40 min-w-52 rounded-xl border border-line bg-raised p-1.5 shadow-float">
          {report && (
            <DropdownMenu.Item asChild className={ITEM}>
              <a href={`/api/v1/analytics/saved-reports/${report.id}/csv?scope=${encodeURIComponent(JSON.stringify(scope))}`} download={`${titleOf(tile)}.csv`}>
                <Icon name="down" size={16} /> Download CSV
              </a>
            </DropdownMenu.Item>
          )}
          {report?.kind === "sql" && (
            <DropdownMenu.Item asChild className={ITEM}>
              <Link to="/sql" search={{ report: report.id }}>
                <Icon name="sql" size={16} /> Open in SQL
              </Link>
            </DropdownMenu.Item>
          )}
          <DropdownMenu.Item className={ITEM} onSelect={actions.onRename}>
            <Icon name="wand" size={16} /> {report ? "Rename tile" : "Edit text"}
          </DropdownMenu.Item>
          <DropdownMenu.Item className={ITEM} onSelect={actions.onRemove}>
            <Icon name="trash" size={16} /> Remove from dashboard
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
