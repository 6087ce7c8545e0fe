// Alerts: who is told, what became of each, and a person's word that he sees to them.

import { get, post } from "./api.js";
import { ask, field } from "./ask.js";
import { $, fill, h } from "./dom.js";
import { changed, inContact, mayAct, state, watch } from "./store.js";
import { clock } from "./words.js";

const OFTEN_MS = 2000; // between two looks while the journal grows
const SELDOM_MS = 10_000; // and else: a delivery is in no journal

let told = null; // of GET /api/alerts
let lookedAt = -Infinity;

export function mount() {
  $("ack").addEventListener("click", acknowledge);
  watch(["view", "session", "boot", "tick"], look);
  watch(["view", "session", "alerts"], draw);
}

async function look() {
  const age = performance.now() - lookedAt;
  if (!state.session || state.ended || state.connection !== "open" || !inContact() || age < (told?.seq === state.seq ? SELDOM_MS : OFTEN_MS)) return;
  lookedAt = performance.now();
  try {
    told = await get("/api/alerts");
  } catch {
    return; // asked again soon
  }
  changed("alerts");
}

function draw() {
  const { view } = state;
  if (!told || !view) return;
  $("ack").hidden = !told.unacknowledged || Boolean(view.end || view.read_only);
  $("ack").disabled = !mayAct();
  fill($("alerts-told"), JSON.stringify(told.alerts) + told.channels + told.escalation, () => [
    h("p", { class: "none" }, who(told)),
    told.alerts.length ? h("ul", { class: "verdicts" }, told.alerts.map(line)) : null,
  ]);
}

function who({ channels, escalation }) {
  if (!channels.length) return "No channel: nobody is told.";
  return `Told: ${channels.join(", ")}${escalation.length ? `; if nobody acknowledges: ${escalation.join(", ")}` : ""}.`;
}

function line({ time, severity, text, unacknowledged, deliveries }) {
  return h(
    "li",
    { class: severity },
    h("b", {}, severity),
    h("span", {}, `${clock(time)} ${text}`, unacknowledged ? h("small", {}, "Nobody has said that he sees to it.") : null, deliveries.map((one) => h("small", {}, became(one)))),
  );
}

function became({ channel, state: how, at, reason }) {
  const when = at === null ? "" : ` at ${clock(at)}`;
  return `${channel}: ${how === "failed" ? `failed${when}, tried again: ${reason}` : how + when}`;
}

function acknowledge() {
  const seen = state.seq;
  return ask({
    title: "I see to it",
    body: [h("p", {}, "Nobody else is called for what was alerted so far.")],
    fields: [field("reason", "What you do about it (for the journal)", { maxlength: 1000 })],
    yes: "I see to it",
    send: async ({ reason }) => {
      await post("/api/ack", { reason: reason ?? "", seen });
      lookedAt = -Infinity;
      look();
    },
  });
}
