import { Skeleton } from "../../widgets/ui";
import { useSlow } from "../../widgets/useSlow";

/** Rows that are not there yet; after two seconds also what is waited for. */
export function Waiting({ rows = 8, what }: { rows?: number; what: string }) {
  const slow = useSlow(true);
  return (
    <div className="relative grid gap-1.5" aria-busy="true">
      {Array.from({ length: rows }, (_, at) => (
        <Skeleton key={at} className="h-7" />
      ))}
      {slow && (
        <p role="status" className="absolute inset-x-0 top-1/3 mx-auto w-fit rounded-lg border border-line bg-raised px-3 py-1.5 text-[13px] text-ink-soft shadow-card">
          Waiting for the store to count {what}…
        </p>
      )}
    </div>
  );
}
