/* The demo shop: loads the tracker that this collector serves, and shows every request the tracker makes. */
(function () {
  'use strict';

  var ECOMMERCE = 'iglu:com.snowplowanalytics.snowplow.ecommerce/';
  var log = document.getElementById('log');
  var names = { pv: 'page view', pp: 'page ping', se: 'structured event', ue: 'self-describing event', tr: 'transaction', ti: 'item' };

  function show(event) {
    var item = document.createElement('li');
    var details = document.createElement('details');
    var summary = document.createElement('summary');
    var state = document.createElement('span');
    var text = document.createElement('pre');
    state.className = 'state';
    state.textContent = 'sending';
    summary.textContent = names[event.e] || event.e;
    summary.appendChild(state);
    text.textContent = JSON.stringify(event, null, 2);
    details.append(summary, text);
    item.appendChild(details);
    log.prepend(item);
    return state;
  }

  /* The tracker sends with fetch; looking over its shoulder shows what goes out and what the collector answers. */
  var send = window.fetch.bind(window);
  window.fetch = function (request, options) {
    var answer = send(request instanceof Request ? request.clone() : request, options);
    var body = request instanceof Request ? request.clone().text() : Promise.resolve((options && options.body) || '');
    body.then(function (text) {
      var events;
      try { events = JSON.parse(text).data; } catch (error) { return; }
      if (!Array.isArray(events)) return;
      var states = events.map(show);
      answer.then(function (response) {
        states.forEach(function (state) { state.textContent = response.ok ? 'kept by the collector' : 'status ' + response.status; });
      }, function () {
        states.forEach(function (state) { state.textContent = 'not reached; the tracker tries again'; });
      });
    });
    return answer;
  };

  (window.GlobalSnowplowNamespace = window.GlobalSnowplowNamespace || []).push('snowplow');
  window.snowplow = function () { window.snowplow.q.push(arguments); };
  window.snowplow.q = [];
  var script = document.createElement('script');
  script.async = true;
  script.src = '/static/sp.js';
  script.onerror = function () { document.getElementById('missing').hidden = false; };
  document.head.appendChild(script);

  snowplow('newTracker', 'sp', location.origin, {
    appId: 'snow-shop', contexts: { webPage: true, session: true }, bufferSize: 1, eventMethod: 'post'
  });
  snowplow('enableActivityTracking', { minimumVisitLength: 5, heartbeatDelay: 10 });
  snowplow('trackPageView');

  function product(button) {
    return {
      schema: ECOMMERCE + 'product/jsonschema/1-0-0',
      data: { id: button.dataset.id, name: button.dataset.name, price: Number(button.dataset.price), currency: 'EUR', category: 'winter' }
    };
  }

  function ecommerce(type, more, context) {
    snowplow('trackSelfDescribingEvent', {
      event: { schema: ECOMMERCE + 'snowplow_ecommerce_action/jsonschema/1-0-2', data: Object.assign({ type: type }, more) },
      context: context
    });
  }

  var deeds = {
    view: function (button) { ecommerce('product_view', {}, [product(button)]); },
    cart: function (button) {
      var cart = { schema: ECOMMERCE + 'cart/jsonschema/1-0-0', data: { total_value: Number(button.dataset.price), currency: 'EUR' } };
      ecommerce('add_to_cart', {}, [product(button), cart]);
    },
    page: function () { snowplow('trackPageView', { title: 'Snow Shop, once more' }); },
    structured: function () { snowplow('trackStructEvent', { category: 'demo', action: 'press', label: 'button', value: 1.5 }); },
    link: function () {
      snowplow('trackSelfDescribingEvent', {
        event: {
          schema: 'iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1',
          data: { targetUrl: 'https://example.org/snow', elementId: 'link' }
        }
      });
    },
    buy: function () {
      var data = { transaction_id: 'T-' + Date.now(), revenue: 73.5, currency: 'EUR', payment_method: 'card', total_quantity: 2 };
      ecommerce('transaction', {}, [{ schema: ECOMMERCE + 'transaction/jsonschema/1-0-0', data: data }]);
    },
    user: function () { snowplow('setUserId', 'demo-visitor'); deeds.page(); },
    anonymous: function () { snowplow('enableAnonymousTracking', { options: { withServerAnonymisation: true } }); deeds.page(); },
    bad: function () {
      snowplow('trackSelfDescribingEvent', {
        event: { schema: 'iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1', data: { targetUrl: 7 } }
      });
    }
  };

  document.addEventListener('click', function (event) {
    var button = event.target.closest('button[data-do]');
    if (button) deeds[button.dataset.do](button);
  });
  document.getElementById('search').addEventListener('submit', function (event) {
    event.preventDefault();
    snowplow('trackSelfDescribingEvent', {
      event: {
        schema: 'iglu:com.snowplowanalytics.snowplow/site_search/jsonschema/1-0-0',
        data: { terms: [new FormData(event.target).get('q') || 'snow'] }
      }
    });
  });
})();
