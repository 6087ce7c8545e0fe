// Giving a command: sent once whatever happens on the way, and answered in words.

import { Refused, newKey, post } from "./api.js";
import { changed, state } from "./store.js";

const WAITS_MS = [1000, 2000, 4000];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Give `command`; what came of it is in `state.answer`. */
export async function give(command, reason = "", key = newKey(), seen = state.seq) {
  state.answer = null;
  state.asked = { command, tries: 0 };
  changed("asked");
  try {
    const told = await insist(command, { reason, seen }, key);
    if (!told.again && (state.view?.last_command?.seq ?? 0) <= seen) state.expected = { mode: told.mode, seq: seen };
    state.answer = told.note ? { level: "note", text: `${capital(command)}: ${told.note}.` } : null;
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    state.answer = answered(command, refusal, () => give(command, reason, key, seen));
  } finally {
    state.asked = null;
    changed("asked", "view");
  }
}

async function insist(command, body, key) {
  for (const wait of [...WAITS_MS, null]) {
    try {
      return await post(`/api/commands/${command}`, body, key);
    } catch (refusal) {
      if (!refusal.unknown || wait === null) throw refusal;
    }
    state.asked = { command, tries: state.asked.tries + 1 };
    changed("asked");
    await pause(wait);
  }
  throw new Error("not reached");
}

function answered(command, refusal, again) {
  if (refusal.unknown) {
    return { level: "unknown", text: `It is not known whether ${command} arrived: ${refusal.message}.`, again };
  }
  if (refusal.status === 401) return { level: "refused", text: "You are not logged in any more: log in, then give it again." };
  return { level: "refused", text: `Not done. ${capital(refusal.message)}.` };
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
