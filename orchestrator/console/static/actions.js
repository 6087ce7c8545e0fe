// Hold or resume, stop after this film, abort.

import { ask, field } from "./ask.js";
import { $, fill, h, say } from "./dom.js";
import { give } from "./give.js";
import { labNow, mayAct, mode, state, watch } from "./store.js";
import { count, made, ofSpan, span } from "./words.js";
import { confirmResume } from "./needs.js";

const HOLDS = ["holding", "held"];

export function mount() {
  $("hold").addEventListener("click", holdOrResume);
  $("stop").addEventListener("click", () => give("stop"));
  $("abort").addEventListener("click", abort);
  watch(["view", "session", "asked", "contact"], draw);
  draw();
}

function holdOrResume() {
  if (!HOLDS.includes(mode())) return give("hold");
  return state.view.needs?.command === "resume" ? confirmResume() : give("resume");
}

function draw() {
  const now = mode();
  const held = HOLDS.includes(now);
  const over = Boolean(state.view?.end || state.view?.read_only);
  const [hold, stop, abortButton] = [$("hold"), $("stop"), $("abort")];
  const asking = state.asked?.command;
  say(hold, asking === "hold" ? "Asking to hold…" : asking === "resume" ? "Asking to resume…" : held ? "Resume" : "Hold");
  const stopping = now === "stopping" || state.view?.stop_wanted;
  say(stop, asking === "stop" ? "Asking to stop…" : stopping ? "Stopping after this film" : "Stop after this film");
  say(abortButton, asking === "abort" ? "Asking…" : now === "aborting" ? "Aborting" : "Abort");
  const may = (command) => state.view && !over && mayAct() && (state.view.may.includes(command) || state.expected !== null);
  hold.disabled = asking !== undefined || !may(held ? "resume" : "hold");
  stop.disabled = asking !== undefined || stopping || !may("stop");
  // Never for want of contact, never behind another request: only where it is not this person's to give, or over.
  abortButton.disabled = over || (state.session !== null && !mayAct());
  drawAnswer(over);
}

function drawAnswer(over) {
  const told = $("told");
  if (state.asked?.tries) {
    fill(told, `tries ${state.asked.tries}`, () => [h("p", {}, `No answer to ${state.asked.command} yet: trying again.`)]);
  } else if (state.answer) {
    const { level, text, again } = state.answer;
    fill(told, `${level} ${text}`, () => [
      h("p", { class: level }, text),
      again ? h("button", { type: "button", onclick: again }, "Try again") : null,
    ]);
  } else if (over) {
    fill(told, "over", () => [h("p", {}, state.view.words)]);
  } else if (state.session && !mayAct()) {
    fill(told, "viewer", () => [h("p", {}, `${state.session.name} may look, but not command: ask for the role of an operator.`)]);
  } else if (state.view && mode() !== "running") {
    const given = state.view.last_command;
    const who = given && given.changed ? ` ${sentenceOf(given)}` : "";
    const words = state.expected ? "" : state.view.words;
    fill(told, `words ${words}${who}`, () => [h("p", {}, words + who)]);
  } else {
    fill(told, "", () => []);
  }
}

function sentenceOf({ command, by, reason }) {
  const did = { hold: "Held", resume: "Resumed", stop: "Stopped", abort: "Aborted", recover: "Recovered" }[command] ?? command;
  return `${did} by ${by}${reason ? `: ${reason.replace(/\.$/, "")}` : ""}.`;
}

/** The dialog first, then the request: and only if the answer is yes. */
async function abort() {
  const answer = await ask({
    title: "Abort the campaign?",
    danger: true,
    body: [
      state.view ? h("p", { class: "context" }, context(state.view)) : null,
      state.view ? h("p", {}, "What is lost:") : null,
      state.view ? h("ul", { id: "lost" }, lost(state.view).map((line) => h("li", {}, line))) : null,
      h("p", {}, "Sources go off, shutters close, the magnet goes to zero. The campaign ends, and cannot be resumed."),
      h(
        "p",
        { class: "warning" },
        h("strong", {}, "This is not the emergency stop. "),
        "It asks the software, by the network. In danger press the red button at the instruments.",
      ),
    ],
    fields: [field("reason", "Why (for the journal)", { maxlength: 1000 })],
    yes: "Abort now",
    no: "Go on",
  });
  if (answer) await give("abort", answer.reason ?? "");
}

function context(view) {
  const running = Object.values(view.stations).map((one) => one.step).filter(Boolean);
  const doing = running.map((step) => `${step.words}, ${ofSpan(labNow() - step.since, step.expected_s)}`);
  const into = `${span(labNow() - view.started_at)} into the night`;
  return `Film ${view.counts.deposited} of ${view.budget.samples}; ${[...doing, into].join("; ")}.`;
}

function lost(view) {
  const lines = [];
  for (const row of state.samples.values()) {
    const what = `Sample ${row.number} (${made(row.composition)})`;
    if (row.phase === "depositing") lines.push(`${what}: its film is broken off.`);
    if (row.phase === "deposited") lines.push(`${what}: its film is not measured.`);
    if (row.phase === "measuring") lines.push(`${what}: its measurement is broken off.`);
  }
  const left = view.budget.samples - view.counts.deposited;
  if (left > 0) lines.push(`${count(left, "film")} of ${view.budget.samples} ${left === 1 ? "is" : "are"} not made.`);
  lines.push(`What has been measured (${count(view.counts.valid, "valid value")}) is kept.`);
  return lines;
}
