/** Cohorts: people by what they did, or by a list, with a name; filters everywhere take them. */
import { useQuery } from "@tanstack/react-query";
import { Person } from "../analytics/panels/Person";
import { api, ask } from "../api/client";
import { CohortPanel } from "../cohorts/CohortPanel";
import { ruleWords } from "../cohorts/rule";
import { useMay } from "../shell/session";
import { ago, counted, number } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { PageFrame } from "../widgets/Page";
import { Badge, Button, Card, Empty, Failure, Skeleton } from "../widgets/ui";

export function Page() {
  const [search, change] = useView();
  const chosen = one(search.cohort, "");
  const person = one(search.person, "");
  const persons = useMay("read:persons");
  const cohorts = useQuery({ queryKey: ["cohorts", ""], queryFn: () => ask(api.GET("/api/v1/analytics/cohorts")) });
  const cohort = cohorts.data?.find((each) => each.id === chosen);
  const add = (
    <Button kind="primary" icon="plus" onClick={() => change({ cohort: "new" })}>
      New cohort
    </Button>
  );
  return (
    <PageFrame title="Cohorts" controls={add}>
      {cohorts.isError && <Failure error={cohorts.error} retry={() => void cohorts.refetch()} />}
      {cohorts.isPending && <Skeleton className="h-48" />}
      {cohorts.data && !cohorts.data.length && (
        <Empty icon="people" title="No cohorts yet" action={add}>
          A cohort is a set of people: by what they did or did not do, or from a list of IDs. Every filter of Analytics and Explore takes it.
        </Empty>
      )}
      {cohorts.data && cohorts.data.length > 0 && (
        <Card label="Cohorts" pad={false}>
          <ul>
            {cohorts.data.map((each) => (
              <li key={each.id} className="border-b border-line last:border-b-0">
                <button type="button" onClick={() => change({ cohort: each.id })} className="grid w-full gap-x-3 gap-y-1 px-4 py-3 text-left hover:bg-sunken sm:grid-cols-[1fr_auto]">
                  <span className="min-w-0">
                    <bdi className="font-medium">{each.name}</bdi> {each.shared && <Badge title={`Shared by ${each.author}`}>shared</Badge>}
                    <span className="block break-words text-[13px] text-ink-soft">{each.rule ? ruleWords(each.rule) : `A list of ${counted(each.ids, "ID")}`}</span>
                  </span>
                  <span className="text-[13px] text-ink-soft sm:text-right">
                    <span className="tabular font-medium text-ink">{each.people !== null ? counted(each.people, "person", "people") : each.counted_at ? "Fewer than 10 people" : "Not counted yet"}</span>
                    {each.counted_at !== null && <span className="block text-xs">counted {ago(each.counted_at)}</span>}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {(chosen === "new" || cohort) && !person && <CohortPanel key={chosen} cohort={cohort} onClose={() => change({ cohort: undefined })} onMade={(id) => change({ cohort: id })} onPerson={(id) => change({ person: id }, { push: true })} />}
      {persons && person && <Person id={person} onClose={() => change({ person: undefined })} />}
      {cohorts.data && cohorts.data.length > 0 && <p className="text-[13px] text-ink-soft">{number(cohorts.data.length)} of at most 1,000. A rule is looked up each time a question is asked, so it is never out of date; the figure above is from when it was counted.</p>}
    </PageFrame>
  );
}
