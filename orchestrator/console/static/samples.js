// The table of samples, latest first.

import { $, fill, h, rows, say } from "./dom.js";
import { actionButtons, searchChanged } from "./search.js";
import { open as openSample } from "./sample.js";
import { state, watch } from "./store.js";
import { DASH, made, measured, outcomes, plusMinus } from "./words.js";

export function mount() {
  watch(["samples", "session", "search", "view"], draw);
}

function draw() {
  if (!state.samples.size) {
    fill($("samples-table"), "none", () => [h("p", { class: "none" }, "None yet.")]);
    return;
  }
  fill($("samples-table"), "table", () => [table()]);
  const items = [...state.samples.values()].sort((a, b) => b.number - a.number);
  rows($("samples-table").querySelector("tbody"), items, (row) => row.number, makeRow, updateRow);
}

function table() {
  const heads = ["Film", "State", "Asked, at.%", "Achieved, at.%", "Value", "Predicted", ""];
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of samples" },
    h("table", { class: "samples" }, h("thead", {}, h("tr", {}, heads.map((head) => (head ? h("th", { scope: "col" }, head) : h("td"))))), h("tbody")),
  );
}

function makeRow(item) {
  return h(
    "tr",
    { "data-sample": item.number },
    h("th", { scope: "row" }, h("button", { type: "button", class: "plain number", "aria-label": `Film ${item.number}: all that is known`, onclick: () => openSample(item.number) }, String(item.number))),
    ["state", "asked", "achieved", "value", "predicted"].map((name) => h("td", { class: name })),
    h("td", { class: "acting" }),
  );
}

function updateRow(element, row) {
  const cell = (name) => element.querySelector(`.${name}`);
  const [word, kind] = standing(row);
  const remarks = [row.rejected, row.reason, ...row.broken.map((limit) => `not ${limit}`)].filter(Boolean);
  fill(cell("state"), [word, ...remarks].join(), () => [h("span", { class: `mark ${kind}` }, word), remarks.map((text) => h("small", {}, text))]);
  say(cell("asked"), made(row.composition, row.settings));
  say(cell("achieved"), row.achieved ? made(row.achieved.composition) + (row.achieved.finished ? "" : ", broken off") : DASH);
  say(cell("value"), Object.keys(row.outcomes).length ? outcomes(row.outcomes) : measured(row));
  say(cell("predicted"), row.mean === null ? DASH : plusMinus(row.mean, row.sigma_predicted));
  const best = state.view?.best?.sample === row.number;
  const front = state.view?.front.some((film) => film.sample === row.number) ?? false;
  element.classList.toggle("best", best);
  fill(cell("acting"), `${searchChanged()} ${row.phase} ${row.rejected} ${best} ${front}`, () => [best ? h("span", { class: "tag now" }, "best") : front ? h("span", { class: "tag" }, "front") : null, actionButtons(row)]);
}

/** State in a word, and its kind. */
export function standing(row) {
  if (row.rejected) return ["rejected", "failed"];
  if (row.phase !== "observed") return [row.phase, { discarded: "failed", quarantined: "failed", vetoed: "failed", suggested: "to-come" }[row.phase] ?? "under-way"];
  return [row.validity ?? "observed", row.validity ?? "valid"];
}
