// Where the night is: the film, when it is done, the best so far, and the step of every station.

import { $, fill, h, rows, say } from "./dom.js";
import { LIVE_S, labNow, mode, silence, state, watch } from "./store.js";
import { capital, clock, count, ofSpan, outcomes, plusMinus, span } from "./words.js";

const MOST_SEGMENTS = 120;

export function mount() {
  watch(["view", "live", "tick", "samples"], draw);
}

function draw() {
  const { view } = state;
  if (!view) {
    say($("film"), state.heardAt === null ? "–" : "No campaign is under way");
    say($("facts"), state.heardAt === null ? "" : "Start one with nightshift run.");
    return;
  }
  const deposition = Object.entries(view.stations).find(([, one]) => one.kind === "deposition" && one.step?.plan === "deposit");
  say($("film"), headline(view, deposition));
  drawFacts(view);
  drawStrip(view);
  rows($("stations"), Object.entries(view.stations), ([name]) => name, makeStation, updateStation);
}

function headline(view, deposition) {
  const total = view.budget.samples;
  if (view.end) return `${count(view.counts.deposited, "film")} of ${total}, ended after ${span(view.time - view.started_at)}`;
  if (!deposition) return `Film ${view.counts.deposited} of ${total}`;
  const [name, { step }] = deposition;
  const live = state.live?.stations[name];
  const doing = live?.text || "depositing";
  const film = `Film ${view.counts.deposited + 1} of ${total}`;
  if (RESTS.includes(live?.state)) return `${film}, ${live.state} while ${doing}`;
  return `${film}, ${doing} ${ofSpan(labNow() - step.since - rested(step.since), step.expected_s)}`;
}

const RESTS = ["held", "waiting on interlock"];

/** Lab seconds since `since` that the campaign was held: the clock of a step stands still then. */
function rested(since) {
  let [sum, from] = [0, null];
  for (const { kind, time, entry } of [...state.entries.values()].sort((a, b) => a.seq - b.seq)) {
    if (kind === "campaign_held") from ??= time;
    else if (kind === "command_given" && entry.command !== "hold" && from !== null) {
      sum += Math.max(0, time - Math.max(from, since));
      from = null;
    }
  }
  return from === null ? sum : sum + Math.max(0, labNow() - Math.max(from, since));
}

function drawFacts(view) {
  const { finish, best } = view;
  const stops = view.stop_wanted || mode() === "stopping" ? " (then it stops)" : "";
  const done = finish
    ? `${clock(finish.low, labNow())}–${clock(finish.high, labNow())}${stops}`
    : view.end
      ? clock(view.time)
      : mode() === "running"
        ? "not known yet"
        : "not known while " + mode();
  const value = best && (Object.keys(best.outcomes).length ? outcomes(best.outcomes) : plusMinus(best.value, best.sigma, best.unit));
  const top = best ? `${value} (film ${best.sample}${view.front.length ? `, by the weights; ${count(view.front.length, "film")} that none is better than` : ""})` : view.limits.length ? `none yet with ${view.limits.join(" and ")}` : "none yet";
  fill($("facts"), `${done} ${top}`, () => [
    h("span", { class: "fact" }, "done ", h("b", {}, done)),
    h("span", { class: "fact" }, "best ", h("b", {}, top)),
  ]);
  const early = finish?.open_ended ? " A stopping rule may end it earlier." : "";
  $("facts").title = finish ? `Likely at ${clock(finish.middle, labNow())}, from ${finish.basis}; ${count(finish.films_to_come, "film")} to come.${early}` : "";
}

const SHADE = { valid: "valid", censored: "censored", failed: "failed" };

function shade(row) {
  if (row.rejected || row.phase === "vetoed") return "failed";
  if (row.phase === "observed") return SHADE[row.validity] ?? "valid";
  if (row.phase === "discarded" || row.phase === "quarantined") return "failed";
  return row.phase === "suggested" ? "to-come" : "under-way";
}

function drawStrip(view) {
  const all = [...state.samples.values()].sort((a, b) => a.number - b.number);
  const kinds = all.map(shade);
  const { valid, censored, failed, discarded, quarantined } = view.counts;
  const told = [count(valid, "valid value")];
  if (censored) told.push(`${censored} censored`);
  if (failed) told.push(`${failed} failed`);
  if (discarded + quarantined) told.push(`${discarded + quarantined} set aside`);
  const length = Math.max(view.budget.samples, kinds.length);
  const strip = $("strip");
  strip.setAttribute("aria-label", `${told.join(", ")}, of ${view.budget.samples} films`);
  strip.title = told.join(", ");
  fill(strip, `${length} ${kinds.join()}`, () => {
    if (length > MOST_SEGMENTS) {
      return ["valid", "censored", "failed", "under-way"].map((kind) =>
        h("i", { class: kind, style: { "flex-grow": kinds.filter((one) => one === kind).length } }),
      ).concat(h("i", { class: "to-come", style: { "flex-grow": length - kinds.length } }));
    }
    return Array.from({ length }, (_, i) => h("i", { class: kinds[i] ?? "to-come" }));
  });
}

function makeStation([name]) {
  return h(
    "li",
    { "data-station": name },
    h("span", { class: "name" }, capital(name)),
    h("span", { class: "doing" }),
    h("span", { class: "time" }),
    h("progress", { max: 1, "aria-label": `${capital(name)}, share of its step` }),
    h("span", { class: "ill" }),
  );
}

function updateStation(row, [name, station]) {
  const [, doing, time, meter, ill] = row.children;
  const live = state.live?.stations[name];
  const { step } = station;
  const since = step ? labNow() - step.since - rested(step.since) : null;
  say(doing, step ? words(step, live) : idle(name, station, live));
  say(time, step && !RESTS.includes(live?.state) ? ofSpan(since, step.expected_s) : "");
  time.title = step ? `usually ${span(step.expected_s)}, one in ten longer than ${span(step.expected_late_s)}; from ${step.expected_basis}` : "";
  const share = live?.fraction ?? (step?.expected_s ? Math.min(1, since / step.expected_s) : null);
  const known = Boolean(step) && share !== null;
  meter.hidden = !known;
  if (known) meter.value = share;
  say(ill, troubles(live));
  row.classList.toggle("old", Boolean(live) && (live.heard_s ?? Infinity) + Math.min(silence(), LIVE_S) > LIVE_S);
  row.classList.toggle("lost", station.lost || station.given_up);
}

function words(step, live) {
  const moving = step.source !== null;
  const what = (moving ? `${step.sample ? `Sample ${step.sample}` : "The reference"}: ${step.source} → ${step.destination}` : capital(step.words)) + (step.attempt > 1 ? `, attempt ${step.attempt}` : "");
  // What a film is at is said above; what a carrying arm last said may be of its step before.
  const text = step.plan === "measure" ? (live?.text ?? "") : "";
  const standing = live?.state && !["running", "idle"].includes(live.state) && !text.startsWith(live.state) ? live.state : "";
  return [what, standing, text].filter(Boolean).join(", ");
}

/** What the arm does at station `name`. */
function visited(name) {
  const steps = Object.values(state.view.stations).map((one) => one.step).filter(Boolean);
  if (steps.some((step) => step.destination === name)) return "Being loaded";
  return steps.some((step) => step.source === name) ? "Being unloaded" : "Busy with another station";
}

function idle(name, station, live) {
  if (station.given_up) return "Given up: needs you";
  if (station.lost) return "Lost: a new worker is started";
  if (station.state === "claimed") return visited(name);
  return live?.state === "safe" ? "Idle, safe" : "Idle";
}

function troubles(live) {
  if (!live) return "";
  const told = [...live.troubles];
  if (live.waiting_on) told.unshift(`waiting on ${live.waiting_on}`);
  if (live.heard_s !== null && live.heard_s > LIVE_S) told.unshift(`not heard for ${span(live.heard_s)}`);
  return told.join("; ");
}
