/** Every recovery run: from the console, and from the command line of this machine. */
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { Loaded } from "../../widgets/Loaded";
import { Card, Empty } from "../../widgets/ui";
import { RunCard } from "./Run";

export function RunList() {
  const runs = useQuery({ queryKey: ["runs", "all"], queryFn: () => ask(api.GET("/api/v1/failed/runs")), refetchInterval: 10_000 });
  return (
    <Card label="Recovery runs" pad={false}>
      <Loaded query={runs} what="the runs" from="Snowgauge" isEmpty={(data) => data.every((run) => run.dry_run)} empty={<Empty icon="recover" title="No recovery has run yet">Open a cause and choose a repair.</Empty>}>
        {(data) => (
          <ul>
            {data
              .filter((run) => !run.dry_run)
              .map((run) => (
                <li key={run.run} className="border-b border-line px-4 py-3 last:border-b-0">
                  <RunCard id={run.run} cause={run.causes[0]} known={run} full />
                </li>
              ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}
