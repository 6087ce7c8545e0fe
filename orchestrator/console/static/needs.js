// Needs you: one sentence and its button, only when it is true.

import { ask, field } from "./ask.js";
import { $, fill, h } from "./dom.js";
import { give } from "./give.js";
import { inContact, mayAct, state, watch } from "./store.js";
import { capital, span } from "./words.js";

const HANGS_S = 10; // the deciding thread comes by every quarter of a second

export function mount() {
  watch(["view", "session", "asked", "live"], draw);
}

function draw() {
  const need = state.view?.needs;
  const hangs = inContact() && state.live && !state.view?.end && state.live.decided_s > HANGS_S;
  if (need) {
    fill($("needs"), `need ${need.seq} ${need.command} ${mayAct()} ${Boolean(state.asked)}`, () => [card(need)]);
  } else if (hangs) {
    fill($("needs"), "hangs", () => [
      h("div", { class: "need" }, h("p", {}, h("strong", {}, "Needs you: "), "the daemon answers, but decides nothing: look at its machine.")),
    ]);
  } else {
    fill($("needs"), "", () => []);
  }
}

function card(need) {
  const text = capital(need.text.replace(/\.$/, ""));
  return h(
    "div",
    { class: "need" },
    h("p", {}, h("strong", {}, "Needs you: "), `${text}.`),
    need.command
      ? h("button", { id: "seen-to", type: "button", disabled: !mayAct() || Boolean(state.asked), onclick: need.command === "resume" ? confirmResume : confirmRecover }, need.command === "resume" ? "Resume…" : "It is seen to…")
      : h("p", { class: "how" }, "When it is seen to: ", h("code", {}, "nightshift recover"), " on the daemon's machine."),
  );
}

/** A hold that no person gave: cause and checks first. */
export async function confirmResume() {
  const answer = await ask({
    title: "Resume?",
    body: [h("p", {}, `It was held because ${state.view.needs?.text ?? "of a fault"}.`), checks()],
    fields: [field("reason", "What was done (for the journal)", { maxlength: 1000 })],
    yes: "Resume",
  });
  if (answer) await give("resume", answer.reason ?? "");
}

async function confirmRecover() {
  const answer = await ask({
    title: "Is it seen to?",
    body: [
      h("p", {}, `You were called because ${state.view.needs?.text ?? "of a fault"}.`),
      h("p", {}, "Your word is: what was broken works, and each sample it names is back in its own cassette slot."),
      checks(),
    ],
    fields: [field("reason", "What was done (for the journal)", { maxlength: 1000 })],
    yes: "It is seen to: go on",
  });
  if (answer) await give("recover", answer.reason ?? "");
}

function checks() {
  const lines = Object.entries(state.live?.stations ?? {}).map(([name, station]) => {
    const heard = station.heard_s === null ? "not heard yet" : station.heard_s > 5 ? `silent for ${span(station.heard_s)}` : (station.state ?? "no state");
    const troubles = station.troubles.length ? `: ${station.troubles.join("; ")}` : "";
    const well = station.heard_s !== null && station.heard_s <= 5 && !station.troubles.length;
    return h("li", { class: well ? "well" : "ill" }, `${capital(name)}: ${heard}${troubles}`);
  });
  return h("div", {}, h("p", {}, "Now:"), h("ul", { class: "checks" }, lines));
}
