// Acting on the search: whatever actions the server offers, each with a form of its fields.
//
// GET /api/search tells the actions, as a table with their fields, and the queue of own samples;
// POST /api/search/NAME takes {fields, reason, seen}: the fields of one, why, and what its giver had seen.

import { get, post } from "./api.js";
import { ask, field, numbersField } from "./ask.js";
import { $, fill, h } from "./dom.js";
import { changed, mayAct, state, watch } from "./store.js";
import { capital, made, spaced } from "./words.js";

const LABELS = { sample: "Own sample…", veto: "Veto…", reject: "Reject…", accept: "Accept again…", repeat: "Measure again…", note: "Note…", reorder: "Move…", withdraw: "Take out…", budget: "Budget…", weights: "Weights…" };

const REJECTION = { accept: true, reject: false }; // what is rejected can be accepted, and the other way round

let actions = [];
let queue = [];
let version = 0;

/** A text that changes whenever the buttons might. */
export const searchChanged = () => `${version} ${mayAct()} ${state.view?.mode}`;

export function mount() {
  watch(["boot", "session"], load);
  watch(["view", "session", "search", "asked"], draw);
  let seen = 0;
  watch(["entries"], () => {
    if (!actions.length) return;
    const last = Math.max(0, ...[...state.entries.values()].filter((line) => ACTS.has(line.kind) || line.kind === "sample_suggested").map((line) => line.seq));
    if (last > seen) {
      seen = last;
      load();
    }
  });
}

const ACTS = new Set(["own_sample_queued", "own_sample_withdrawn", "queue_reordered", "budget_changed", "weights_changed"]);

async function load() {
  let told;
  try {
    told = await get("/api/search");
  } catch {
    return; // this daemon offers none, or tells with the next hello
  }
  actions = told.actions ?? [];
  queue = told.queue ?? [];
  version += 1;
  changed("search");
}

const offered = (name) => actions.find((one) => one.action === name && (!state.view || one.modes.includes(state.view.mode)));

function draw() {
  const next = state.view?.next;
  const over = !state.view || Boolean(state.view.end);
  const mark = `${searchChanged()} ${next?.sample} ${next?.phase} ${over} ${state.seq && queue.length}`;
  fill($("next-actions"), mark, () => {
    if (over) return [];
    const veto = next && offered("veto")?.phases.includes(next.phase) ? button("veto", { sample: next.sample }) : null;
    return [veto, offered("sample") ? button("sample", {}, next?.composition) : null];
  });
  fill($("samples-actions"), mark, () => (over ? [] : ["budget", ...(state.view.objectives.length > 1 ? ["weights"] : [])].filter(offered).map((name) => button(name, {}))));
  drawQueue(mark);
}

function drawQueue(mark) {
  let place = $("queue");
  if (!place) {
    place = h("div", { id: "queue" });
    $("next").append(place);
  }
  fill(place, `${mark} ${JSON.stringify(queue)}`, () => {
    if (!queue.length) return [];
    return [
      h("h3", {}, "Own samples, next first"),
      h("ol", { class: "queue" }, queue.map((own, i) => h(
        "li",
        {},
        h("span", {}, `${made(own.composition, own.settings)} at.%, by ${own.by}${own.reason ? `: ${own.reason}` : ""}`),
        i > 0 && offered("reorder") ? button("reorder", { queued: own.number, position: 1 }) : null,
        offered("withdraw") ? button("withdraw", { queued: own.number }) : null,
      ))),
    ];
  });
}

/** What can be done about the sample of `row`, as buttons. */
export function actionButtons(row) {
  return actions
    .filter((one) => one.phases.length && one.phases.includes(row.phase) && offered(one.action))
    .filter((one) => !(one.action in REJECTION) || row.rejected === undefined || REJECTION[one.action] === (row.rejected !== null))
    .map((one) => button(one.action, { sample: row.number }));
}

function button(name, given, around = null) {
  const action = actions.find((one) => one.action === name);
  return h("button", { type: "button", class: "small", "data-action": name, title: action.what, disabled: !mayAct(), onclick: () => fillIn(action, given, around) }, LABELS[name] ?? `${capital(spaced(name))}…`);
}

function fillIn(action, given, around) {
  const left = action.fields.filter((one) => !(one.name in given) || one.name === "position");
  const fields = left.map((one) => control(one, given[one.name], around));
  const seen = state.seq;
  const title = given.sample ? `${(LABELS[action.action] ?? capital(action.action)).replace("…", "")}: film ${given.sample}` : (LABELS[action.action] ?? capital(action.action)).replace("…", "");
  return ask({
    title,
    body: [h("p", {}, action.what)],
    fields: [...fields, field("reason", action.why ? "Why (for the journal)" : "Why (for the journal, if you like)", { required: action.why, maxlength: 1000 })],
    yes: title.split(":")[0],
    send: async ({ reason, ...values }) => {
      const told = await post(`/api/search/${action.action}`, { fields: { ...given, ...values }, reason: reason ?? "", seen });
      load();
      state.answer = told.note ? { level: "note", text: `${told.note}.` } : null;
      changed("asked");
    },
  });
}

function control({ name, type, unit, required, what, right }, value, around) {
  const hint = [what, right ? `${right}.` : ""].filter(Boolean).join(" ");
  const label = capital(spaced(name));
  if (type === "numbers") return numbersField(name, unit ? `${label}, ${unit}` : label, keysOf(name), startOf(name, around), hint);
  if (type === "integer") return field(name, label, { type: "number", step: "1", unit, required, hint, value: value ?? "" });
  if (type === "number") return field(name, label, { type: "number", unit, required, hint, value: value ?? "" });
  return field(name, label, { type: "textarea", required, hint });
}

function keysOf(name) {
  const { elements, settings, objectives } = state.view;
  return { composition: elements, settings, weights: objectives.map((one) => one.quantity) }[name] ?? [];
}

function startOf(name, around) {
  if (name === "weights") return Object.fromEntries(state.view.objectives.map((one) => [one.quantity, one.weight]));
  if (name !== "composition" || !around) return {};
  return Object.fromEntries(Object.entries(around).map(([element, share]) => [element, Number((100 * share).toFixed(2))]));
}
