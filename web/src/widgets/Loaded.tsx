/** What a page shows of an answer of the API: waiting (with the reason after two seconds), no rights, failure, empty, or
 * the answer. One component, so that every page says these things alike. */
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { useMe } from "../shell/session";
import { Empty, Failure, Skeleton } from "./ui";
import { useSlow } from "./useSlow";

/** The parts of a query that are looked at. */
export interface Answered<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  isError: boolean;
  refetch: () => unknown;
}

interface Props<T> {
  query: Answered<T>;
  /** What is waited for: "the causes". */
  what: string;
  /** Placeholders of this many rows. */
  rows?: number;
  /** Who answers, if not the store. */
  from?: string;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}

export function Loaded<T>({ query, what, rows = 3, from = "the store", isEmpty, empty, children }: Props<T>) {
  const { data, error } = query;
  if (query.isError && error instanceof ApiError && error.status === 403) return <NoRights what={what} />;
  return (
    <>
      {query.isError && (
        <div className="p-3">
          <Failure error={error} retry={() => void query.refetch()} />
        </div>
      )}
      {query.isPending && !query.isError && <Waiting what={what} rows={rows} from={from} />}
      {data !== undefined && (isEmpty?.(data) ? !query.isError && empty : children(data))}
    </>
  );
}

export function Waiting({ what, rows = 3, from = "the store" }: { what: string; rows?: number; from?: string }) {
  const slow = useSlow(true);
  return (
    <div className="grid gap-3 p-4" aria-busy="true">
      <p role="status" className={slow ? "text-[13px] text-ink-soft" : "sr-only"}>
        {slow ? `Still waiting for ${from} to give ${what}.` : `Loading ${what}.`}
      </p>
      {Array.from({ length: rows }, (_, at) => (
        <Skeleton key={at} className="h-12" />
      ))}
    </div>
  );
}

export function NoRights({ what }: { what: string }) {
  const role = useMe().data?.role;
  return (
    <Empty icon="key" title={`You can't see ${what}`}>
      {role ? `Users with the role ${role} don't have this permission.` : "Your key doesn't have this permission."} Ask an admin for it.
    </Empty>
  );
}
