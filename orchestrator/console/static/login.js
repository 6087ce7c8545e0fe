// Logging in, where that is demanded.

import { fetchSession, post } from "./api.js";
import { field } from "./ask.js";
import { h } from "./dom.js";
import { changed, state } from "./store.js";

let dialog = null;

/** Ask who it is until the server knows him; then call `entered`. */
export function askWho(entered) {
  if (dialog) return;
  state.session = null;
  changed("session");
  const name = field("name", "Name", { required: true, autocomplete: "username", autocapitalize: "none", maxlength: 64 });
  const password = field("password", "Password", { type: "password", required: true, autocomplete: "current-password", maxlength: 1000 });
  const trouble = h("p", { class: "trouble", role: "alert" });
  const enter = h("button", { type: "submit", class: "first" }, "Log in");
  const form = h("form", { class: "login" }, h("h2", { id: "login-title" }, "Nightshift"), h("p", {}, "Log in to see the night."), name.element, password.element, trouble, h("div", { class: "answers" }, enter));
  dialog = h("dialog", { id: "login", "aria-labelledby": "login-title", oncancel: (event) => event.preventDefault() }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    enter.disabled = true;
    trouble.textContent = "";
    try {
      await post("/api/login", { name: name.value(), password: form.elements.password.value });
      await fetchSession();
    } catch (refusal) {
      trouble.textContent = `${refusal.message}.`;
      form.elements.password.focus();
      return;
    } finally {
      enter.disabled = false;
    }
    dialog.remove();
    dialog = null;
    entered();
  });
  document.body.append(dialog);
  dialog.showModal();
  form.elements.name.focus();
}
