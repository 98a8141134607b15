// Sends one of each with Snowplow's Node tracker: node node_client.mjs <collector> <get|post>; prints the event ids.
import { buildPageView, buildSelfDescribingEvent, buildStructEvent, newTracker } from "@snowplow/node-tracker";

const [endpoint, eventMethod] = process.argv.slice(2);
const sent = [];
const tracker = newTracker(
  { namespace: "node", appId: `node-${eventMethod}`, encodeBase64: eventMethod === "get" },
  { endpoint, eventMethod, bufferSize: eventMethod === "get" ? 1 : 3 },
);
tracker.setUserId("näme");
tracker.setPlatform("srv");
const entity = {
  schema: "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0",
  data: { version: "7" },
};
for (const event of [
  buildPageView({ pageUrl: "http://shop.example/a?utm_source=s&utm_medium=m#f", pageTitle: "A" }),
  buildStructEvent({ category: "c", action: "a", value: 3 }),
  buildSelfDescribingEvent({
    event: {
      schema: "iglu:com.snowplowanalytics.snowplow/timing/jsonschema/1-0-0",
      data: { category: "c", variable: "v", timing: 9 },
    },
  }),
])
  sent.push(tracker.track(event, [entity]).eid);
await tracker.flush();
console.log(JSON.stringify(sent));
