import { useDashboard } from "../parts/context";
import { Delta } from "../parts/Delta";
import { figure } from "../view/definitions";
import { asked, type Metric, useAnswer } from "../view/question";
import { Failure, Skeleton } from "../../widgets/ui";

const METRICS: Metric[] = ["shop_revenue", "transactions", "product_views", "cart_additions", "abandoned_carts", "cart_abandonment"];

/** Revenue, orders and carts of Snowplow's ecommerce events. */
export default function Shop() {
  const { scope, known } = useDashboard();
  const answer = useAnswer(asked(scope, { metrics: METRICS, include: { coverage: false } }));
  if (answer.isError) return <Failure error={answer.error} retry={() => void answer.refetch()} />;
  const row = answer.data?.results[0];
  if (!row) return <Skeleton className="h-24" />;
  if (!row.metrics.some((value) => value)) return null;
  const currencies = answer.data?.meta.currencies ?? [];
  const currency = currencies.length === 1 ? currencies[0] : undefined;
  return (
    <div className="grid gap-2">
      <dl className="grid grid-cols-2 gap-x-3 gap-y-2 sm:grid-cols-3">
        {METRICS.map((name, at) => {
          const measure = known?.measure(name);
          return (
            <div key={name} title={measure?.definition} className="grid">
              <dt className="text-[13px] text-ink-soft">{measure?.label ?? name}</dt>
              <dd className="flex items-baseline gap-2">
                <span className="tabular text-lg font-semibold tracking-tight">{figure(measure, row.metrics[at], currency)}</span>
                {row.comparison && <Delta measure={measure} change={row.comparison.change[at]} now={row.metrics[at] ?? null} before={row.comparison.metrics[at] ?? null} />}
              </dd>
            </div>
          );
        })}
      </dl>
      {currencies.length > 1 && <p className="text-[13px] text-ink-soft">Revenue is in several currencies, which are never added up. Filter by one: {currencies.join(", ")}.</p>}
    </div>
  );
}
