// Live signals: a small curve for each number that a station's devices show, of the last minutes that this page saw.

import { rows, h, s, say } from "../dom.js";
import { LIVE_S, state, watch } from "../store.js";
import { quantity, spaced } from "../words.js";

const KEPT = 240; // beats, one a second
const LEAST = 60; // beats that the width stands for
const WIDTH = 120;
const HEIGHT = 30;

const seen = new Map(); // "station device signal" -> {label, unit, values, old}
let beat = null;

export function mount(element) {
  watch(["live"], () => {
    remember();
    draw(element);
  });
}

function remember() {
  const { live } = state;
  if (!live || live.server_time === beat) return;
  beat = live.server_time;
  for (const [station, told] of Object.entries(live.stations)) {
    const old = told.heard_s === null || told.heard_s > LIVE_S;
    for (const [device, signals] of Object.entries(told.devices)) {
      for (const [signal, { value, unit }] of Object.entries(signals)) {
        if (typeof value !== "number") continue;
        const key = `${station} ${device} ${signal}`;
        if (!seen.has(key)) seen.set(key, { key, label: `${device} ${spaced(signal).replace("actual ", "")}`, unit, values: [], old });
        const kept = seen.get(key);
        kept.old = old;
        kept.values.push(old ? null : value);
        if (kept.values.length > KEPT) kept.values.shift();
      }
    }
  }
}

function draw(element) {
  const items = [...seen.values()];
  say(element.querySelector(".told"), items.length ? "" : "No reading yet.");
  rows(element.querySelector(".sparks"), items, (one) => one.key, make, update);
}

function make({ label }) {
  return h("div", { class: "spark" }, h("span", { class: "label" }, label), h("b", {}), s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, s("path", {})));
}

function update(element, { values, unit, old }) {
  const last = values.findLast((value) => value !== null);
  say(element.children[1], quantity(last, unit, 3));
  element.classList.toggle("old", old);
  element.querySelector("path").setAttribute("d", path(values));
}

function path(values) {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const y = (value) => (high > low ? HEIGHT - 2 - ((value - low) / (high - low)) * (HEIGHT - 4) : HEIGHT / 2);
  const x = (i) => WIDTH - (values.length - 1 - i) * (WIDTH / (Math.max(values.length, LEAST) - 1));
  return values.map((value, i) => (value === null ? "" : `${i && values[i - 1] !== null ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`)).join("");
}
