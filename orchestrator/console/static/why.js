// The next sample, and why it was chosen.

import { $, fill, h } from "./dom.js";
import { state, watch } from "./store.js";
import { made, measured, number, parts, percent, plusMinus, spaced } from "./words.js";

export function mount() {
  watch(["view"], draw);
}

function draw() {
  const next = state.view?.next;
  if (!next) {
    const why = !state.view ? "–" : state.view.end ? "None: the campaign has ended." : state.view.stop_wanted || state.view.mode === "stopping" ? "None: it stops after the films in flight." : "Being chosen.";
    fill($("why"), why, () => [h("p", { class: "none" }, why)]);
    return;
  }
  const unit = state.view.objective.unit;
  fill($("why"), JSON.stringify(next), () => explained(next, unit, state.view.elements));
}

/** All that is known of a choice, as nodes. */
export function explained(why, unit, elements) {
  return [
    h(
      "p",
      { class: "headline composition" },
      h("span", { class: "tag" }, `#${why.sample}`),
      parts(why.composition).map(([element, amount]) => h("span", { class: "part" }, h("span", { class: "element" }, element), ` ${amount}`)),
      h("small", {}, "at.%"),
      Object.entries(why.settings).map(([name, value]) => h("span", { class: "part" }, h("span", { class: "element" }, spaced(name)), ` ${number(value)}`)),
      why.phase === "depositing" ? h("span", { class: "tag now" }, "being made") : null,
    ),
    bar(why.composition, elements),
    h("p", { class: "words" }, why.words),
    h("dl", { class: "reasons" }, reasons(why, unit)),
    details(why, unit),
  ];
}

function bar(composition, elements) {
  return h(
    "div",
    { class: "mixture", "aria-hidden": "true" },
    elements.map((element, i) => h("i", { class: `element-${i % 6}`, style: { "flex-grow": composition[element] ?? 0 } })),
  );
}

function reasons(why, unit) {
  const lines = [];
  const add = (term, ...told) => lines.push(h("div", {}, h("dt", {}, term), h("dd", {}, told)));
  if (why.exploration !== null) add("Chosen to", split(why.exploration));
  if (why.nearest.length) {
    const [first, ...others] = why.nearest;
    add("Nearest", h("span", { title: others.map(neighbour).join("\n") }, neighbour({ ...first, unit })));
  }
  if (why.runner_up) add("Runner-up", runnerUp(why.runner_up, unit));
  if (why.mean !== null || why.binds.length) add("Limits met", why.binds.length ? why.binds.join("; ") : "none");
  return lines;
}

function split(share) {
  return h(
    "span",
    { class: "split", role: "img", "aria-label": `exploration ${percent(share)}, exploitation ${percent(1 - share)}` },
    h("span", {}, "explore ", h("b", {}, percent(share))),
    h("span", { class: "track" }, h("i", { style: { width: `${100 * share}%` } })),
    h("span", {}, "exploit ", h("b", {}, percent(1 - share))),
  );
}

const neighbour = (one) => `film ${one.sample} at ${number(one.distance_at_percent, 2)} at.%: ${one.validity === "valid" ? measured(one) : one.validity}`;

function runnerUp(told, unit) {
  const { composition, settings, mean, sigma } = told;
  const what = composition ? made(composition, settings ?? {}) : null;
  return [what, typeof mean === "number" ? `${plusMinus(mean, sigma, unit)}` : null].filter(Boolean).join(": ");
}

function details(why, unit) {
  const told = [`Chosen by ${why.method}${why.mean === null ? "" : `, ${spaced(why.acquisition_name)} ${number(why.acquisition)}`}, from ${why.observed} observations, in ${number(why.seconds, 2)} s.`];
  if (why.pending.length) told.push(`It took into account what was under way: sample ${why.pending.join(", ")}.`);
  if (why.cut_short) told.push("The search for it was cut short by its time limit.");
  if (why.replicate) told.push("It repeats a sample that was made before.");
  for (const one of why.nearest.slice(1)) told.push(`Near it is also ${neighbour({ ...one, unit })}.`);
  told.push(...why.hyperparameters);
  return h("details", {}, h("summary", {}, "More of the model"), told.map((line) => h("p", {}, line)));
}
