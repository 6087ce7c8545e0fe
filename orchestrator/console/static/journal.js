// The journal as sentences, latest first, with a filter.

import { get } from "./api.js";
import { $, h, rows, say } from "./dom.js";
import { keep } from "./socket.js";
import { changed, state, watch } from "./store.js";
import { clock } from "./words.js";

const KINDS = {
  all: ["All entries", null],
  problems: ["What went wrong", null],
  commands: ["What people did", ["command_given", "campaign_started", "own_sample_queued", "queue_reordered", "own_sample_withdrawn", "sample_noted", "budget_changed", "weights_changed", "suggestion_vetoed", "observation_rejected", "observation_restored", "measurement_requested"]],
  samples: ["Samples and values", ["sample_suggested", "film_deposited", "observation_made", "observation_withdrawn", "sample_discarded", "sample_quarantined"]],
  steps: ["Steps and moves", ["step_intended", "step_ended", "sample_moved", "station_made_safe"]],
  model: ["Model", ["model_assessed", "optimizer_lost", "optimizer_restarted"]],
};
const SHOWN = 200;
const PAGE = 200;

let shown = SHOWN;
let first = null; // the earliest entry that is known, when there is none before it

export function mount() {
  const form = $("journal-filter");
  form.elements.what.append(...Object.entries(KINDS).map(([value, [label]]) => h("option", { value }, label)));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    shown = SHOWN;
    draw();
    if (wants(form).sample !== null) earlier();
  });
  $("journal-more").addEventListener("click", earlier);
  watch(["entries", "boot"], draw);
}

function wants(form) {
  const sample = form.elements.sample.value.trim();
  return { what: form.elements.what.value, sample: sample === "" ? null : Number(sample), text: form.elements.text.value.trim().toLowerCase() };
}

function fits(line, { what, sample, text }) {
  if (what === "problems" && line.level === "info") return false;
  const kinds = KINDS[what][1];
  if (kinds && !kinds.includes(line.kind)) return false;
  if (sample !== null && line.sample !== sample) return false;
  return !text || line.text.toLowerCase().includes(text);
}

function draw() {
  const wanted = wants($("journal-filter"));
  const found = [...state.entries.values()].filter((line) => fits(line, wanted)).sort((a, b) => b.seq - a.seq);
  rows($("journal-lines"), found.slice(0, shown), (line) => line.seq, make, () => {});
  const more = found.length > shown || (state.entries.size > 0 && first !== Math.min(...state.entries.keys()));
  $("journal-more").hidden = !more;
}

function make(line) {
  return h(
    "li",
    { class: line.level, "data-seq": line.seq },
    h("time", { title: `entry ${line.seq}` }, clock(line.time, undefined, true)),
    h("span", {}, line.level === "info" ? null : h("b", {}, line.level === "critical" ? "needs you: " : "warning: "), line.text),
  );
}

async function earlier() {
  const wanted = wants($("journal-filter"));
  const button = $("journal-more");
  const query = new URLSearchParams({ limit: PAGE, before: state.entries.size ? Math.min(...state.entries.keys()) : state.seq + 1 });
  if (wanted.sample !== null) {
    query.set("sample", wanted.sample);
    query.delete("before");
  }
  button.disabled = true;
  try {
    const told = await get(`/api/journal?${query}`);
    keep(told.entries);
    if (wanted.sample === null && !told.more) first = Math.min(...state.entries.keys());
    shown += PAGE;
    say(button, "Earlier entries");
  } catch (refusal) {
    say(button, `Not to be had (${refusal.message}): try again`);
  } finally {
    button.disabled = false;
  }
  changed("entries");
}
