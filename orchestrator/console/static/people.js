// Who may log in: for admins.

import { get, post } from "./api.js";
import { ask, choice, field } from "./ask.js";
import { $, fill, h } from "./dom.js";
import { changed, state, watch } from "./store.js";

const ROLES = ["viewer", "operator", "admin"];
const SHORTEST = 10;

let people = null;
let asked = null; // whose session it was asked in

export function mount() {
  $("people-add").addEventListener("click", () => change(null));
  watch(["session", "people"], draw);
}

const mine = () => state.session?.role === "admin";

async function look() {
  asked = state.session.csrf;
  try {
    take(await get("/api/users"));
  } catch {
    asked = null; // asked again with the next session
  }
}

function take(told) {
  people = told.people;
  changed("people");
}

function draw() {
  $("people").hidden = !mine();
  if (!mine()) {
    people = asked = null;
    return;
  }
  if (asked !== state.session.csrf) look();
  if (people) fill($("people-list"), JSON.stringify(people) + state.session.name, () => [h("ul", { class: "people" }, people.map(line))]);
}

function line(person) {
  const own = person.name === state.session.name;
  return h(
    "li",
    {},
    h("b", {}, person.name),
    h("span", {}, person.role, own ? " (you)" : ""),
    h("span", { class: "small-buttons" }, [
      h("button", { type: "button", class: "small", "aria-label": `Change ${person.name}`, onclick: () => change(person) }, "Change…"),
      own ? null : h("button", { type: "button", class: "small", "aria-label": `Remove ${person.name}`, onclick: () => remove(person) }, "Remove…"),
    ]),
  );
}

/** Change what somebody may, or add somebody. */
function change(person) {
  const name = field("name", "Name", { required: true, maxlength: 64, autocapitalize: "none", autocomplete: "off" });
  const role = choice("role", "Role", person?.name === state.session.name ? [person.role] : ROLES, person?.role ?? "operator");
  const password = field("password", person ? "New password, if it changes" : "Password", {
    type: "password", required: !person, minlength: SHORTEST, maxlength: 1000, autocomplete: "new-password",
    hint: person ? "Ends their sessions." : `At least ${SHORTEST} characters.`,
  });
  return ask({
    title: person ? `Change ${person.name}` : "Let somebody log in",
    fields: person ? [role, password] : [name, role, password],
    yes: person ? "Change" : "Add",
    send: async (told) => take(await post(`/api/users/${encodeURIComponent(person?.name ?? told.name)}`, { role: told.role, password: told.password })),
  });
}

function remove(person) {
  return ask({
    title: `Remove ${person.name}?`,
    body: [h("p", {}, "They are logged out at once, and can no longer log in. What they did stays in the journal.")],
    yes: "Remove",
    danger: true,
    send: async () => take(await post(`/api/users/${encodeURIComponent(person.name)}/remove`, {})),
  });
}
