// The page's socket: what is new as it comes, from where it was left.
//
// It is opened anew after it closed, after it has been silent for too long, and at once when a phone wakes up; with
// `after`, so that no entry of the journal is missed.

import { fetchSession, get } from "./api.js";
import { changed, silence, state } from "./store.js";

const SHORTEST_MS = 500;
const LONGEST_MS = 10_000;
const DEAD_S = 10; // an open socket that says nothing for so long is no longer one
const KEPT = 2000; // entries
const NOT_ALLOWED = 1008;

let socket = null;
let timer = null;
let wait = SHORTEST_MS;
let needLogin = () => {};

/** Open it; `login` is called when the server wants to know first who we are. */
export function start(login) {
  needLogin = login;
  open();
  setInterval(look, 1000);
  document.addEventListener("visibilitychange", wake);
  addEventListener("online", wake);
  addEventListener("pageshow", wake);
}

export function open() {
  clearTimeout(timer);
  drop();
  state.connection = "connecting";
  const after = state.entries.size ? `?after=${state.seq}` : "";
  const opened = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/socket${after}`);
  socket = opened;
  opened.onmessage = (event) => opened === socket && take(JSON.parse(event.data));
  opened.onclose = (event) => opened === socket && closed(event.code);
  changed("contact");
}

function drop() {
  const old = socket;
  socket = null;
  if (old) old.close();
}

function closed(code) {
  socket = null;
  state.connection = "waiting";
  const pause = state.ended ? LONGEST_MS : wait * (0.75 + Math.random() / 2);
  state.retryAt = performance.now() + pause;
  wait = Math.min(2 * wait, LONGEST_MS);
  timer = setTimeout(retry, pause, code);
  changed("contact");
}

async function retry(code) {
  // A socket that is refused does not say why: a login that is over looks like a server that is down.
  if (code === NOT_ALLOWED || code === 1006) {
    try {
      await fetchSession();
    } catch (refusal) {
      if (refusal.status === 401) {
        needLogin();
        return;
      }
    }
  }
  open();
}

function wake() {
  if (document.visibilityState !== "visible") return;
  if (state.connection === "waiting" || silence() > 3) {
    wait = SHORTEST_MS;
    if (state.session !== null) open();
  }
  changed("contact", "view", "samples", "entries", "live");
}

function look() {
  if (state.connection === "open" && silence() > DEAD_S) open();
  changed("tick");
}

function take(message) {
  state.heardAt = performance.now();
  state.connection = "open";
  state.retryAt = null;
  wait = SHORTEST_MS;
  if (message.type === "hello") hello(message);
  if (message.type === "bye") state.ended = true;
  if (message.view !== undefined) state.view = message.view;
  if (message.live !== undefined) state.live = message.live;
  for (const row of message.samples ?? []) state.samples.set(row.number, row);
  keep(message.entries ?? []);
  state.seq = message.seq;
  if (state.expected && (state.view?.last_command?.seq ?? 0) > state.expected.seq) state.expected = null;
  const topics = ["contact"];
  if (message.view !== undefined) topics.push("view");
  if (message.samples?.length) topics.push("samples");
  if (message.entries?.length) topics.push("entries");
  if (message.live !== undefined) topics.push("live");
  changed(...topics);
}

function hello(message) {
  const another = state.view !== null && message.view?.started_at !== state.view.started_at;
  const restarted = state.boot !== null && state.boot !== message.boot;
  if (another || message.seq < state.seq) {
    state.entries.clear();
  }
  state.samples.clear();
  state.boot = message.boot;
  state.ended = false;
  state.expected = null;
  if (restarted) fetchSession().catch(() => {}); // the next command asks again, and tells
  if (state.entries.size === 0) fetchLatest(message.seq);
  changed("samples", "entries", "boot");
}

/** The latest entries, so that the journal is not empty. */
async function fetchLatest(seq) {
  if (seq === 0) return;
  try {
    const told = await get(`/api/journal?limit=100&before=${seq + 1}`);
    keep(told.entries);
    changed("entries");
  } catch {
    // what comes by the socket is shown all the same, and "earlier entries" asks again
  }
}

export function keep(lines) {
  for (const line of lines) state.entries.set(line.seq, line);
  if (state.entries.size <= KEPT) return;
  const seqs = [...state.entries.keys()].sort((a, b) => a - b);
  for (const seq of seqs.slice(0, seqs.length - KEPT)) state.entries.delete(seq);
}
