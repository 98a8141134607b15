// The page that the browser test opens: every way of tracking that the test looks for on the other side.
import * as snowplow from "@snowplow/browser-tracker";
import { FormTrackingPlugin, enableFormTracking } from "@snowplow/browser-plugin-form-tracking";
import { LinkClickTrackingPlugin, enableLinkClickTracking } from "@snowplow/browser-plugin-link-click-tracking";
import {
  SnowplowEcommercePlugin,
  setPageType,
  trackAddToCart,
  trackProductView,
  trackTransaction,
} from "@snowplow/browser-plugin-snowplow-ecommerce";

const collector = new URLSearchParams(location.search).get("collector");
const acknowledged = [];

function note(batch) {
  for (const event of batch) acknowledged.push(event.evt ? event.evt.eid : event.eid);
}

snowplow.newTracker("main", collector, {
  appId: "browser",
  bufferSize: 1,
  contexts: { session: true, browser: true },
  plugins: [FormTrackingPlugin(), LinkClickTrackingPlugin(), SnowplowEcommercePlugin()],
  onRequestSuccess: note,
});
snowplow.newTracker("pixels", collector, { appId: "browser-get", eventMethod: "get", onRequestSuccess: note });
snowplow.newTracker("nobody", collector, {
  appId: "browser-anonymous",
  anonymousTracking: { withServerAnonymisation: true },
  stateStorageStrategy: "none",
  onRequestSuccess: note,
});

snowplow.addGlobalContexts(
  [{ schema: "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0", data: { version: "1.2.3" } }],
  ["main"],
);
snowplow.enableActivityTracking({ minimumVisitLength: 1, heartbeatDelay: 1 }, ["main"]);
enableLinkClickTracking({}, ["main"]);
enableFormTracking({}, ["main"]);
snowplow.trackPageView({ title: "Prüfseite" }, ["main"]);
snowplow.trackPageView({}, ["pixels"]);
snowplow.trackPageView({}, ["nobody"]);

window.test = {
  acknowledged,
  events() {
    snowplow.trackStructEvent(
      { category: "shop", action: "look", label: "läbel", property: "p", value: 1.5 },
      ["main", "pixels", "nobody"],
    );
    snowplow.trackSelfDescribingEvent(
      {
        event: {
          schema: "iglu:com.snowplowanalytics.snowplow/timing/jsonschema/1-0-0",
          data: { category: "load", variable: "map", timing: 42 },
        },
        context: [
          {
            schema: "iglu:com.snowplowanalytics.snowplow/geolocation_context/jsonschema/1-1-0",
            data: { latitude: 1.5, longitude: -2.5 },
          },
        ],
      },
      ["main"],
    );
    const product = { id: "P1", name: "Schraube", category: "tools/screws", price: 2.5, currency: "EUR", quantity: 2 };
    setPageType({ type: "product" }, ["main"]);
    trackProductView({ ...product }, ["main"]);
    trackAddToCart({ products: [product], total_value: 5, currency: "EUR" }, ["main"]);
    trackTransaction(
      { transaction_id: "T1", revenue: 5, currency: "EUR", payment_method: "card", products: [product] },
      ["main"],
    );
  },
  quiet() {
    snowplow.disableActivityTracking({}, ["main"]);
  },
};
