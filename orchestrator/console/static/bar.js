// The bar: campaign, state, simulated or hardware, and how long ago anything was heard.

import { $, say } from "./dom.js";
import { post } from "./api.js";
import { badge, inContact, labNow, silence, state, watch } from "./store.js";
import { clock, span } from "./words.js";

let announced = "";

export function mount() {
  watch(["view", "contact", "tick", "asked", "session", "live"], draw);
  $("logout").addEventListener("click", async () => {
    await post("/api/logout", {}).catch(() => {}); // whatever it says, the login page tells who we are then
    location.reload();
  });
}

function draw() {
  const { view, live, session } = state;
  say($("campaign"), view ? view.campaign : "Nightshift");
  const [word, kind] = badge();
  const asking = state.asked && inContact() ? { hold: "holding…", resume: "resuming…", stop: "stopping…", abort: "aborting…", recover: "recovering…" }[state.asked.command] : null;
  say($("badge").querySelector(".word"), asking ?? word);
  $("badge").dataset.state = asking ? "asking" : kind;
  document.body.dataset.contact = inContact() || state.ended ? "yes" : state.heardAt === null ? "connecting" : "lost";
  say($("kind"), view ? (view.simulated ? "SIMULATED" : "HARDWARE") : "");
  $("kind").className = `kind ${view?.simulated ? "simulated" : "hardware"}`;
  const rate = live && Math.abs(live.rate - 1) > 0.01 ? ` ×${Math.round(live.rate)}` : "";
  say($("labclock"), live ? `${clock(labNow())}${rate}` : "");
  say($("contact"), contact());
  say($("who"), session ? (session.role === "viewer" ? `${session.name}, looks on` : session.name) : "");
  $("logout").hidden = !session?.login;
  drawSilence();
  announce(word);
}

function contact() {
  if (state.heardAt === null) return "";
  return `heard ${Math.floor(silence())} s ago`;
}

function drawSilence() {
  const lost = !inContact() && state.heardAt !== null && !state.ended;
  $("silence").hidden = !lost && !state.ended;
  $("silence").classList.toggle("over", state.ended);
  if (state.ended) {
    say($("silence"), state.view?.end ? "The campaign's daemon has ended. This is how it was." : "The daemon has ended. This page shows what was, and goes on when it is back.");
  } else if (lost) {
    const left = state.retryAt === null ? 0 : Math.ceil((state.retryAt - performance.now()) / 1000);
    const next = left > 0 ? `next try in ${left} s` : "trying";
    say($("silence"), `Nothing heard for ${span(silence())}: what is grey is as of ${clock(state.live?.lab_time, undefined, true)}; ${next}.`);
  }
}

function announce(word) {
  const text = state.view ? `${state.view.campaign}: ${word}` : word;
  if (word === "connecting" || text === announced) return;
  announced = text;
  say($("said"), text);
}
