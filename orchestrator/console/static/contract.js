// The night contract: what was signed, and what it would say now.

import { newKey, post } from "./api.js";
import { $, fill, h, say } from "./dom.js";
import { changed, labNow, mayAct, state, watch } from "./store.js";
import { clock } from "./words.js";

const TRIES = 8; // the server itself gives up after a minute

let checking = false;
let found = null; // {verdict, lines, at}, or {trouble}

export function mount() {
  $("check").addEventListener("click", check);
  watch(["view", "session", "checked"], draw);
}

async function check() {
  checking = true;
  changed("checked");
  try {
    found = await insist(newKey());
  } catch (refusal) {
    found = { trouble: refusal.message };
  } finally {
    checking = false;
    changed("checked");
  }
}

/** A check takes a while: the same one is asked for until it is there. */
async function insist(key) {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await post("/api/check", {}, key);
    } catch (refusal) {
      if (refusal.code !== "not_answered" || left === 0) throw refusal;
    }
  }
}

function draw() {
  const { view } = state;
  if (!view) return;
  $("check").disabled = checking || Boolean(view.end || view.read_only) || !mayAct();
  say($("check"), checking ? "Checking…" : "Check now");
  const { contract } = view;
  fill($("contract-signed"), JSON.stringify(contract), () => (contract ? [signed(contract)] : [h("p", { class: "none" }, "None was signed, as for a dry run.")]));
  fill($("contract-checked"), JSON.stringify(found), () => (found ? checked(found) : []));
}

function signed(contract) {
  const armed = { "--arm": ", armed by --arm", typed: ", armed by typing its name" }[contract.armed] ?? "";
  const told = `Signed by ${contract.by} at ${clock(contract.time, labNow())}${armed}: ${counted(contract.lines)}.`;
  const green = contract.lines.every((line) => line.verdict === "green");
  return h("details", { open: !green }, h("summary", {}, told), list(contract.lines));
}

function checked({ trouble, at, lines }) {
  if (trouble) return [h("p", { class: "ill" }, `Not checked: ${trouble}.`)];
  return [h("h3", {}, `Checked at ${clock(at)}: ${counted(lines)}`), h("p", { class: "none" }, "Instruments and alert channels were not asked: they are at work."), list(lines)];
}

function counted(lines) {
  const count = (verdict) => lines.filter((line) => line.verdict === verdict).length;
  return ["green", "amber", "red"].filter(count).map((verdict) => `${count(verdict)} ${verdict}`).join(", ") || "no line";
}

function list(lines) {
  return h("ul", { class: "verdicts" }, lines.map(({ subject, verdict, found: what, do: advice }) => h(
    "li",
    { class: verdict },
    h("b", {}, verdict),
    h("span", {}, h("strong", {}, subject), `: ${what}`, advice ? h("small", {}, `→ ${advice}`) : null),
  )));
}
