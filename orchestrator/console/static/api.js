// Requests to the server, and its refusals as errors.

import { changed, state } from "./store.js";

const PATIENCE_MS = 12_000; // the server itself answers within 10 s

/** An answer that is no: `code` for programs, the message for people; `status` 0 is no answer at all. */
export class Refused extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }

  /** Whether it is not known what became of the request: ask again, with the same key. */
  get unknown() {
    return this.status === 0 || this.status === 503;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS), credentials: "same-origin" });
  } catch (error) {
    throw new Refused(0, "no_answer", error.name === "TimeoutError" ? "the server did not answer" : "the server cannot be reached");
  }
  if (response.status === 204) return null;
  let told;
  try {
    told = await response.json();
  } catch {
    throw new Refused(response.ok ? 0 : response.status, "no_json", "the server's answer cannot be read");
  }
  if (!response.ok) throw new Refused(response.status, told.code ?? "error", told.detail ?? response.statusText);
  return told;
}

export const get = (path) => ask(path);

export async function post(path, body, key = newKey()) {
  const send = () =>
    ask(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRF-Token": state.session?.csrf ?? "", "Idempotency-Key": key },
    });
  try {
    return await send();
  } catch (refusal) {
    if (refusal.code !== "csrf") throw refusal;
  }
  await fetchSession(); // another tab has logged in since, or the daemon is another
  return send();
}

export async function fetchSession() {
  state.session = await get("/api/session");
  changed("session");
}

/** A request's own name; `randomUUID` is there only where the page came over TLS or from this machine. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
