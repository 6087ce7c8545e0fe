// What the page knows, and who draws it.  Parts say of which topics they draw; drawing happens once a frame, and not at
// all while nobody sees the page.

export const SILENT_S = 5; // of silence, and there is no contact
export const LIVE_S = 5; // a station's readings that are older are grey

export const state = {
  session: null, // {name, role, csrf, login, boot}
  boot: null,
  seq: 0,
  view: null,
  samples: new Map(), // number -> row
  entries: new Map(), // seq -> line
  live: null,
  heardAt: null, // performance.now() of the last message
  connection: "connecting", // or open, waiting
  retryAt: null,
  ended: false, // the daemon said that it is over
  asked: null, // {command, key, tries}: on its way
  expected: null, // {mode, seq}: what we were told follows, until the journal has it
  answer: null, // {level, text, again}: to the last command
};

const parts = [];
const dirty = new Set();
let queued = false;

/** Call `draw` after any of `topics` has changed. */
export function watch(topics, draw) {
  parts.push({ topics: new Set(topics), draw });
}

export function changed(...topics) {
  topics.forEach((topic) => dirty.add(topic));
  document.title = title();
  if (!queued) {
    queued = true;
    requestAnimationFrame(drawAll);
  }
}

function drawAll() {
  queued = false;
  const topics = new Set(dirty);
  dirty.clear();
  for (const part of parts) {
    if (![...part.topics].some((topic) => topics.has(topic))) continue;
    try {
      part.draw(state);
    } catch (error) {
      console.error(error); // one part that cannot be drawn must not keep the others from it
    }
  }
}

/** Real seconds since anything was heard. */
export function silence() {
  return state.heardAt === null ? Infinity : (performance.now() - state.heardAt) / 1000;
}

export const inContact = () => silence() < SILENT_S;

/** Lab time now; it stands still when there is no contact. */
export function labNow() {
  if (!state.live) return state.view ? state.view.time : NaN;
  return state.live.lab_time + Math.min(silence(), SILENT_S) * state.live.rate;
}

/** The campaign's mode, as soon as we were told of it. */
export function mode() {
  if (!state.view) return null;
  return state.expected && !state.view.end ? state.expected.mode : state.view.mode;
}

export const mayAct = () => state.session !== null && state.session.role !== "viewer";

/** What the badge says: the word, and the kind of state. */
export function badge() {
  if (state.ended && state.view?.end) return ["ended", "stopped"];
  if (!inContact()) return state.heardAt === null ? ["connecting", "connecting"] : ["no contact", "lost"];
  const now = mode();
  if (now === null) return ["no campaign", "stopped"];
  if (state.view.read_only && !state.view.end) return ["nobody runs it", "stopped"];
  if (state.view.end) return state.view.end === "needs operator" ? [now, now] : ["ended", "stopped"];
  return [now, now];
}

function title() {
  const [word] = badge();
  const need = state.view?.needs ? "(!) " : "";
  return state.view ? `${need}${word} · ${state.view.campaign}` : "Nightshift";
}
