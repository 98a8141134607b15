/** One person: who that is, figures over all visits, and what they did. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Waiting } from "../analytics/parts/Waiting";
import { countryName, duration, money } from "../analytics/view/definitions";
import { api, ask, type Schemas } from "../api/client";
import { Privacy } from "../people/Privacy";
import { Fact, Timeline } from "../people/Timeline";
import { useAllApplications, useMay } from "../shell/session";
import { counted, exactTime, middle, number, time } from "../view/format";
import { one } from "../view/search";
import { useView } from "../view/useView";
import { PageFrame } from "../widgets/Page";
import { Badge, Card, Empty, Failure } from "../widgets/ui";

export function Page() {
  const [search] = useView();
  const id = one(search.id, "");
  const whole = useAllApplications();
  const may = useMay("read:persons") && whole;
  const admin = useMay("admin");
  const found = useQuery({ queryKey: ["analytics", "profile", id], queryFn: () => ask(api.GET("/api/v1/analytics/profiles/{any_id}", { params: { path: { any_id: id } } })), enabled: may && id !== "", retry: false });
  const person = found.data?.profile.person_id;
  const seen = useQuery({ queryKey: ["analytics", "person", person, "year"], queryFn: () => ask(api.GET("/api/v1/analytics/persons/{person_id}", { params: { path: { person_id: person ?? "" }, query: { question: JSON.stringify({ date_range: "all", include: { today: true } }) } } })), enabled: person !== undefined });
  if (!may || !id)
    return (
      <PageFrame title="Person">
        <Empty icon="people" title={may ? "Nobody is chosen" : "You may not see single people"}>
          {may ? "Open a person from a visit, an event, a funnel or a cohort." : "This page needs the scope read:persons, and access to every application."}
        </Empty>
      </PageFrame>
    );
  return (
    <PageFrame title="Person" lead={<bdi className="break-all">{person ?? id}</bdi>}>
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Waiting what="this person" rows={4} />}
      {found.data && (
        <div className="grid min-w-0 grid-cols-1 items-start gap-4 lg:grid-cols-[22rem_minmax(0,1fr)]">
          <div className="grid min-w-0 gap-4">
            <Figures profile={found.data.profile} />
            <Identities profile={found.data.profile} others={found.data.others} />
            {admin && <Privacy key={found.data.profile.person_id} profile={found.data.profile} />}
          </div>
          <Card title="What they did">
            {seen.isError && <Failure error={seen.error} retry={() => void seen.refetch()} />}
            {seen.isPending && <Waiting what="visits" />}
            {seen.data && <Timeline seen={seen.data} details />}
            {seen.data?.visits.length === 100 && <p className="mt-4 text-[13px] text-ink-soft">The last 100 of {counted(found.data.profile.visits, "visit")}.</p>}
          </Card>
        </div>
      )}
    </PageFrame>
  );
}

function Figures({ profile }: { profile: Schemas["Profile"] }) {
  const from = (channel: string, source: string, campaign: string) => [source || channel || "Direct", campaign].filter(Boolean).join(" · ");
  return (
    <Card title="Summary" actions={profile.is_bot ? <Badge tone="warn">bot</Badge> : undefined}>
      <dl className="grid grid-cols-[7rem_1fr] gap-x-3 gap-y-1 text-[13px]">
        <Fact name="First seen" value={time(profile.first_seen)} />
        <Fact name="Last seen" value={time(profile.last_seen)} />
        <Fact name="Visits" value={`${number(profile.visits)} on ${counted(profile.active_days, "day")}`} />
        <Fact name="Page views" value={number(profile.views)} />
        <Fact name="Events" value={number(profile.events)} />
        <Fact name="Engaged" value={duration(profile.engaged)} />
        <Fact name="Goals" value={number(profile.conversions)} />
        {profile.revenue > 0 && <Fact name="Revenue" value={money(profile.revenue, undefined, false)} />}
        <Fact name="Came from" value={from(profile.first_channel, profile.first_source, profile.first_campaign)} />
        <Fact name="Last from" value={from(profile.last_channel, profile.last_source, profile.last_campaign)} />
        <Fact name="First page" value={middle(profile.first_page, 120)} />
        <Fact name="Last page" value={middle(profile.last_page, 120)} />
        <Fact name="Place" value={countryName(profile.country)} />
        <Fact name="Device" value={profile.device} />
      </dl>
    </Card>
  );
}

function Identities({ profile, others }: { profile: Schemas["Profile"]; others: string[] }) {
  return (
    <Card title="Identities">
      <ul className="grid gap-2 text-[13px]">
        {profile.identities.map((each) => (
          <li key={`${each.visitor_id} ${each.user_id}`} className="min-w-0">
            {each.user_id && (
              <span className="block break-all">
                <span className="text-ink-soft">user</span> <bdi className="font-medium">{each.user_id}</bdi>
              </span>
            )}
            {each.visitor_id && (
              <span className="block break-all">
                <span className="text-ink-soft">visitor</span> <bdi>{each.visitor_id}</bdi>
              </span>
            )}
            <span className="text-ink-soft">
              {counted(each.visits, "visit")}, last <time dateTime={exactTime(each.last_seen)}>{time(each.last_seen)}</time>
            </span>
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <p className="mt-3 text-[13px]">
          The same ID is also used by{" "}
          {others.slice(0, 10).map((other, at) => (
            <span key={other}>
              {at > 0 && ", "}
              <Link to="/person" search={{ id: other }} className="break-all text-accent-ink hover:underline">
                {middle(other, 36)}
              </Link>
            </span>
          ))}
          .
        </p>
      )}
    </Card>
  );
}
