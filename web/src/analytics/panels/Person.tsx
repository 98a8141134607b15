import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import { Fact, place, Timeline } from "../../people/Timeline";
import { useAllApplications } from "../../shell/session";
import { Failure } from "../../widgets/ui";
import { SidePanel } from "../../widgets/SidePanel";
import { number } from "../../view/format";
import { Waiting } from "../parts/Waiting";

/** One visitor's visits with their pages and goals, as they happened. */
export function Person({ id, onClose }: { id: string; onClose: () => void }) {
  const seen = useQuery({ queryKey: ["analytics", "person", id], queryFn: () => ask(api.GET("/api/v1/analytics/persons/{person_id}", { params: { path: { person_id: id } } })) });
  const whole = useAllApplications();
  const newest = seen.data?.visits[0];
  const total = seen.data?.visits.length ?? 0;
  return (
    <SidePanel
      title="Visitor"
      onClose={onClose}
      actions={
        whole && <Link to="/person" search={{ id }} className="inline-flex h-8 items-center rounded-lg px-2 text-[13px] text-accent-ink hover:bg-accent-soft">
          Whole page
        </Link>
      }
    >
      {seen.isError && <Failure error={seen.error} retry={() => void seen.refetch()} />}
      {seen.isPending && <Waiting what="this visitor's visits" />}
      {seen.data && !newest && <p className="text-ink-soft">This visitor has no visits in the last 91 days.</p>}
      {newest && (
        <dl className="mb-5 grid grid-cols-[6rem_1fr] gap-x-3 gap-y-1 text-[13px]">
          {newest.user_id && <Fact name="User ID" value={newest.user_id} />}
          <Fact name="Visitor" value={id} />
          <Fact name="Visits" value={`${total === 100 ? "the last " : ""}${number(total)} in 91 days`} />
          <Fact name="Place" value={place(newest)} />
          <Fact name="Device" value={[newest.device, newest.browser, newest.os].filter(Boolean).join(", ")} />
        </dl>
      )}
      {seen.data && <Timeline seen={seen.data} />}
    </SidePanel>
  );
}
