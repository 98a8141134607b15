/* Snowgauge: the tag-style queue snowplow('command', ...) on top of the UMD builds of @snowplow/browser-tracker and
 * its plug-ins, which stand before this in the same file. Apache-2.0. */
(function (window, document) {
  'use strict';

  var tracking = window.snowplowBrowserTracking;
  var trackers = {};
  var commands = {};
  var constructors = {};
  /* Plug-ins that only work where the tracker's configuration asks for them, as in sp.js. */
  var asked = ['performanceNavigationTiming', 'performanceTiming', 'gaCookies', 'clientHints', 'geolocation', 'webVitals'];

  function complain(message) {
    if (window.console && window.console.error) window.console.error('Snowgauge loader: ' + message);
  }

  /* Take over what a module exports: functions become commands, *Plugin ones make plug-ins. */
  function adopt(exported, plugin) {
    Object.keys(exported).forEach(function (name) {
      var value = exported[name];
      if (typeof value !== 'function' || name === 'newTracker') return;
      if (!/Plugin$/.test(name)) commands[name] = value;
      else if (plugin) constructors[name.charAt(0).toLowerCase() + name.slice(1, -'Plugin'.length)] = value;
    });
  }

  function isPluginModule(name) {
    var found = /^snowplow[A-Z]/.test(name) && name !== 'snowplowBrowserTracking' && window[name];
    return found && typeof found === 'object' && Object.keys(found).some(function (key) {
      return /Plugin$/.test(key);
    });
  }

  /* A collector without a scheme is asked as the page itself was, as in sp.js. */
  function withScheme(collector) {
    if (/^https?:\/\//.test(collector)) return collector;
    return (document.location.protocol === 'https:' ? 'https://' : 'http://') + collector.replace(/^\/\//, '');
  }

  function newTracker(namespace, collector, configuration) {
    var given = {};
    Object.keys(configuration || {}).forEach(function (key) {
      given[key] = configuration[key];
    });
    given.plugins = Object.keys(constructors).filter(function (name) {
      return asked.indexOf(name) < 0 || (given.contexts && given.contexts[name]);
    }).map(function (name) {
      return constructors[name]();
    }).concat(given.plugins || []);
    trackers[namespace] = tracking.newTracker(namespace, withScheme(collector), given);
  }

  /* addPlugin(plugin) or addPlugin(url, [global, constructor], argument...): the second form loads the file first. */
  function addPlugin(parameters, names, done) {
    var plugin = parameters[0];
    if (typeof plugin !== 'string') {
      tracking.addPlugin({ plugin: plugin }, names);
      return done();
    }
    var script = document.createElement('script');
    script.async = true;
    script.src = plugin;
    script.onload = function () {
      var exported = window[parameters[1][0]];
      if (!exported || typeof exported[parameters[1][1]] !== 'function') {
        complain(plugin + ' has no ' + parameters[1].join('.'));
      } else {
        adopt(exported, false);
        tracking.addPlugin({ plugin: exported[parameters[1][1]].apply(null, parameters.slice(2)) }, names);
      }
      done();
    };
    script.onerror = function () {
      complain(plugin + ' could not be loaded');
      done();
    };
    document.head.appendChild(script);
  }

  /* A queue in order: what comes after a plug-in that is being loaded waits for it. */
  function queue(waiting) {
    var held = [];
    var loading = false;

    function finished() {
      loading = false;
      drain();
    }

    function drain() {
      while (held.length && !loading) one(held.shift());
    }

    function one(parameters) {
      var command = parameters.shift();
      try {
        if (typeof command === 'function') {
          command.apply(trackers, parameters);
          return;
        }
        var parts = String(command).split(':');
        var names = parts[1] ? parts[1].split(';') : undefined;
        if (parts[0] === 'newTracker') newTracker.apply(null, parameters);
        else if (parts[0] === 'addPlugin') {
          loading = true;
          addPlugin(parameters, names, finished);
        } else if (commands[parts[0]]) call(commands[parts[0]], parameters, names);
        else complain(parts[0] + ' is not a command');
      } catch (error) {
        complain(command + ': ' + error);
      }
    }

    function push(parameters) {
      held.push(Array.prototype.slice.call(parameters));
      drain();
    }

    waiting.forEach(push);
    return { push: push };
  }

  /* Every function of the tracker takes the names of trackers last. */
  function call(run, parameters, names) {
    var places = Math.max(run.length - 1, 0);
    var given = parameters.slice(0, places);
    while (given.length < places) given.push(undefined);
    given.push(names);
    run.apply(null, given);
  }

  adopt(tracking, false);
  Object.keys(window).filter(isPluginModule).forEach(function (name) {
    adopt(window[name], true);
  });

  (window.GlobalSnowplowNamespace || []).splice(0).forEach(function (name) {
    var entry = window[name];
    entry.q = queue(Array.prototype.slice.call(entry.q || []));
  });
})(window, document);
