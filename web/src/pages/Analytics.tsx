/** Who visited, what they read, where they came from: the page that a site's owner opens. */
import { Dashboard } from "../analytics/Dashboard";

export function Page() {
  return <Dashboard title="Analytics" />;
}
