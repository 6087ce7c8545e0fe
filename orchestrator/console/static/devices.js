// Every device of every station, and what it showed last.

import { $, h, rows, say } from "./dom.js";
import { LIVE_S, silence, state, watch } from "./store.js";
import { DASH, capital, number, quantity, spaced, span } from "./words.js";

export function mount() {
  watch(["live", "view", "tick"], draw);
}

function draw() {
  if (!state.view) return;
  const place = $("devices-list");
  place.querySelector(".none")?.remove();
  rows(place, Object.entries(state.view.stations), ([name]) => name, makeStation, updateStation);
}

function makeStation([name]) {
  return h("article", { "data-station": name }, h("h3", {}, capital(name), h("small", { class: "heard" })), h("p", { class: "troubles ill" }), h("div", { class: "list" }));
}

function updateStation(element, [name, station]) {
  const live = state.live?.stations[name];
  const [heading, troubles, list] = element.children;
  const age = live?.heard_s === null || !live ? null : live.heard_s + silence();
  say(heading.lastElementChild, age === null ? "not heard yet" : age > LIVE_S ? `as of ${span(age)} ago` : (live.state ?? ""));
  element.classList.toggle("old", age === null || age > LIVE_S);
  say(troubles, live?.troubles.join("; ") ?? "");
  const devices = Object.entries(station.devices).map(([device, role]) => [device, role, live?.devices[device]]);
  rows(list, devices, ([device]) => device, makeDevice, updateDevice);
}

function makeDevice([device, role]) {
  return h("div", { "data-device": device, class: "device" }, h("p", {}, h("b", {}, device), h("small", {}, spaced(role))), h("dl", {}));
}

function updateDevice(element, [, role, signals]) {
  const fault = signals?.fault?.value;
  const note = element.querySelector("small");
  say(note, signals === undefined ? `${spaced(role)}, no reading` : fault ? `fault: ${fault}` : spaced(role));
  note.classList.toggle("ill", Boolean(fault));
  const readings = Object.entries(signals ?? {}).filter(([name]) => name !== "fault");
  rows(element.querySelector("dl"), readings, ([name]) => name, makeSignal, updateSignal);
}

function makeSignal([name]) {
  return h("div", {}, h("dt", {}, spaced(name)), h("dd", {}));
}

function updateSignal(element, [, reading]) {
  say(element.lastElementChild, reading === null ? DASH : shown(reading));
}

/** A reading as text. */
export function shown({ value, unit }) {
  if (value === null || value === "") return DASH;
  if (typeof value === "number") return quantity(value, unit);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map((one) => (typeof one === "number" ? number(one, 3) : String(one))).join(", ");
  return String(value);
}
