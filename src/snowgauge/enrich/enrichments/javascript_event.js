// What a user's script finds in its engine: the event with a getter and a setter per column, params, headers, print
// and console. Evaluated once per engine, before the script; gives back one function: given the script's `process` it
// keeps it, given an event it runs it.
//
// The engine cannot call back into Python while a time limit is set, so an event crosses the border as one JSON text
// each way: it takes the columns that are set and gives back what the script changed.
(function (KINDS, IGLU_URI, PARAMS) {
  "use strict";

  // the script may replace any global, so everything used later is kept here
  const { parse, stringify } = JSON;
  const { freeze, create, defineProperty, setPrototypeOf, hasOwn } = Object;
  const { isFinite, isInteger } = Number;
  const { fround, trunc } = Math;
  const { isArray } = Array;
  const toNumber = Number;
  const toText = String;
  const ScriptError = Error;
  const WrongType = TypeError;
  const test = RegExp.prototype.test.call.bind(RegExp.prototype.test);
  const exec = RegExp.prototype.exec.call.bind(RegExp.prototype.exec);
  const toWellFormed = String.prototype.toWellFormed.call.bind(String.prototype.toWellFormed);
  const push = Array.prototype.push.call.bind(Array.prototype.push);
  const join = Array.prototype.join.call.bind(Array.prototype.join);
  const includes = Array.prototype.includes.call.bind(Array.prototype.includes);

  const REQUIRED = freeze(["event_id", "collector_tstamp", "v_collector", "v_etl"]);
  const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
  const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
  const MOMENT = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,3})?Z?$/;
  const IGLU = new RegExp(IGLU_URI);
  const FRAME = /<input>:(\d+):(\d+)/g;
  const OWN_LINES = 100000;
  const MOST_PRINTED = 100;
  const DROP = freeze({ toString: () => "the event is dropped" });

  const params = parse(PARAMS);
  let script, state, changed, erased, printed, pii;

  const shown = (value) => {
    const kind = typeof value;
    if (kind === "string") return stringify(value);
    return kind === "object" && value !== null ? "an object" : kind === "function" ? "a function" : toText(value);
  };
  const refuse = (name, value, wanted) => {
    throw new WrongType(`${name}: expected ${wanted}, found ${shown(value)}`);
  };
  const number = (name, value, wanted) => {
    const found = typeof value === "boolean" || value === "" ? NaN : toNumber(value);
    return isFinite(found) ? found : refuse(name, value, wanted);
  };
  const TAKES = {
    __proto__: null,
    string: (name, value) =>
      typeof value === "object" || typeof value === "function" || typeof value === "symbol"
        ? refuse(name, value, "a string")
        : toWellFormed(toText(value)),
    uuid: (name, value) => (typeof value === "string" && test(UUID, value) ? value : refuse(name, value, "a UUID")),
    timestamp: (name, value) =>
      typeof value === "string" && test(MOMENT, value) ? value : refuse(name, value, "a time as yyyy-MM-dd HH:mm:ss.SSS"),
    int: (name, value) => {
      const found = trunc(number(name, value, "a whole number"));
      return found >= -2147483648 && found <= 2147483647 ? found + 0 : refuse(name, value, "a number of 32 bits");
    },
    boolean: (name, value) => {
      const found = toNumber(value);
      return found === 0 || found === 1 ? found : refuse(name, value, "1 or 0");
    },
    float: (name, value) => fround(number(name, value, "a number")),
    decimal: (name, value) => {
      number(name, value, "a number");
      const text = toText(value);
      return test(DECIMAL, text) ? text : refuse(name, value, "a number");
    },
  };

  const isSelfDescribing = (json) =>
    typeof json === "object" && json !== null && typeof json.schema === "string" && test(IGLU, json.schema) && hasOwn(json, "data");
  const WRAPPED = {
    __proto__: null,
    contexts: (data) => {
      if (!isArray(data)) return false;
      for (let i = 0; i < data.length; i++) if (!isSelfDescribing(data[i])) return false;
      return true;
    },
    unstruct_event: isSelfDescribing,
  };
  const setWrapped = (name, text) => {
    if (text === null || text === undefined) {
      if (state[name] !== undefined) changed[name] = null;
      state[name] = undefined;
      return;
    }
    let good = false;
    try {
      const json = typeof text === "string" ? parse(text) : null;
      good = isSelfDescribing(json) && WRAPPED[name](json.data);
    } catch {
      good = false;
    }
    if (!good) throw new ScriptError(`invalid ${name} json`);
    if (text !== state[name]) changed[name] = text;
    state[name] = text;
  };

  const event = {};
  const method = (target, name, body) => defineProperty(target, name, { value: body, enumerable: target === event });
  for (const [name, kind] of parse(KINDS)) {
    const title = name[0].toUpperCase() + name.slice(1);
    if (name === "contexts" || name === "unstruct_event") {
      method(event, `get${title}`, () => state[name] ?? null);
      method(event, `set${title}`, (text) => setWrapped(name, text));
      continue;
    }
    if (name === "derived_contexts") {
      method(event, `get${title}`, () => state[name] ?? null);
      method(event, `set${title}`, () => undefined);
      continue;
    }
    const take = TAKES[kind];
    method(event, `get${title}`, kind === "decimal"
      ? () => (state[name] === undefined || state[name] === null ? null : toNumber(state[name]))
      : () => state[name] ?? null);
    method(event, `set${title}`, (value) => {
      let taken = null;
      if (value !== null && value !== undefined) taken = take(name, value);
      else if (includes(REQUIRED, name)) refuse(name, value, "a value, because every event has one");
      changed[name] = taken;
      state[name] = taken;
    });
  }
  method(event, "getPii", () => pii);
  method(event, "setPii", (text) => {
    pii = text ?? null;
  });
  method(event, "drop", () => {
    throw DROP;
  });
  method(event, "eraseDerived_contexts", () => {
    erased = true;
  });
  freeze(event);

  // scripts written for Snowplow's engine see headers as a Java list that also takes an index
  const list = create(Array.prototype);
  method(list, "get", function (i) {
    if (!isInteger(i) || i < 0 || i >= this.length) throw new RangeError(`Index ${i} out of bounds for length ${this.length}`);
    return this[i];
  });
  method(list, "size", function () {
    return this.length;
  });
  method(list, "isEmpty", function () {
    return this.length === 0;
  });
  method(list, "contains", function (item) {
    return includes(this, item);
  });

  const print = (...items) => {
    if (printed.length >= MOST_PRINTED) return;
    let line = "";
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      line += (i ? " " : "") + (typeof item === "object" && item !== null ? stringify(item) : toText(item));
    }
    push(printed, line.slice(0, 1000));
  };
  printed = [];
  method(globalThis, "print", print);
  method(globalThis, "console", freeze({ log: print, info: print, warn: print, error: print, debug: print, trace: print }));

  // the message as Snowplow's engine words it, with the place in the script where there is one
  const messageOf = (error) => {
    let text;
    try {
      text = toText(error);
    } catch {
      return "an error that has no text";
    }
    if (error instanceof ScriptError && typeof error.stack === "string") {
      FRAME.lastIndex = 0;
      for (let frame = exec(FRAME, error.stack); frame; frame = exec(FRAME, error.stack)) {
        if (toNumber(frame[1]) < OWN_LINES) return `${text} in <eval> at line number ${frame[1]} at column number ${frame[2]}`;
      }
    }
    return text;
  };

  return (argument) => {
    if (typeof argument === "function") {
      script = argument;
      return null;
    }
    state = parse(argument);
    const headers = setPrototypeOf(state[""], list);
    state[""] = undefined;
    setPrototypeOf(state, null);
    changed = { __proto__: null };
    erased = false;
    printed = [];
    pii = null;
    let outcome;
    try {
      const result = script(event, params, headers);
      const json = result === null || result === undefined ? "null" : stringify(result);
      outcome = json === undefined ? `"unreadable":true` : `"result":${json}`;
    } catch (error) {
      outcome = error === DROP ? `"dropped":true` : `"error":${stringify(messageOf(error))}`;
    }
    // joined and not added up: the engine keeps a long sum as a tree of pieces, which its border does not take
    return join([`{${outcome}`, `"changed":${stringify(changed)}`, `"erased":${erased}`, `"printed":${stringify(printed)}}`]);
  };
})
