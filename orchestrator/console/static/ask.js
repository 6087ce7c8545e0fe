// One dialog at a time: a question with its context, and perhaps fields to fill in.

import { h } from "./dom.js";

let count = 0;

/**
 * Ask, and resolve to the fields' values (an object) if the answer is yes, else to null.
 *
 * `body` is a list of nodes; `fields` are those of `field`; `send` (optional) does what is asked for before the dialog
 * closes: what it throws is shown, and the dialog stays.
 */
export function ask({ title, body = [], fields = [], yes, no = "Cancel", danger = false, send = null }) {
  const id = `ask-${++count}`;
  const trouble = h("p", { class: "trouble", role: "alert" });
  const sure = h("button", { type: "submit", class: danger ? "danger sure" : "first" }, yes);
  const back = h("button", { type: "button", class: "back" }, no);
  const form = h(
    "form",
    { method: "dialog", novalidate: false },
    h("h2", { id }, title),
    body,
    fields.map((one) => one.element),
    trouble,
    h("div", { class: "answers" }, back, sure),
  );
  const dialog = h("dialog", { "aria-labelledby": id }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let answer = null;
    back.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && !fields.length && dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(fields.map((one) => [one.name, one.value()]));
      if (send) {
        sure.disabled = true;
        trouble.textContent = "";
        try {
          await send(values);
        } catch (error) {
          trouble.textContent = error.message;
          return;
        } finally {
          sure.disabled = false;
        }
      }
      answer = values;
      dialog.close();
    });
    dialog.showModal();
    (danger ? back : (form.querySelector("input, textarea, select") ?? sure)).focus();
  });
}

/** Show `body` until it is closed. */
export function show(title, body) {
  const id = `ask-${++count}`;
  const dialog = h(
    "dialog",
    { "aria-labelledby": id, class: "wide" },
    h("div", { class: "titled" }, h("h2", { id }, title), h("button", { type: "button", onclick: () => dialog.close() }, "Close")),
    body,
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A field of a dialog: `value` reads it, as what is to be sent; undefined if it is left empty. */
export function field(name, label, { type = "text", value = "", required = false, hint = "", unit = "", ...more } = {}) {
  const input = h(type === "textarea" ? "textarea" : "input", {
    name,
    ...(type === "textarea" ? { rows: 2 } : { type, value }),
    ...(type === "number" ? { inputmode: "decimal", step: "any" } : {}),
    required,
    ...more,
  });
  const element = h("label", { class: "field" }, h("span", {}, unit ? `${label}, ${unit}` : label), input, hint ? h("small", {}, hint) : null);
  const read = () => (input.value.trim() === "" ? undefined : type === "number" ? Number(input.value) : input.value.trim());
  return { name, element, value: read };
}

/** A field that is one of `options`. */
export function choice(name, label, options, value) {
  const input = h("select", { name }, options.map((one) => h("option", { value: one, selected: one === value }, one)));
  return { name, element: h("label", { class: "field" }, h("span", {}, label), input), value: () => input.value };
}

/** A field of numbers, one for each of `keys`: what is left empty is not sent. */
export function numbersField(name, label, keys, values = {}, hint = "") {
  const inputs = keys.map((key) => [key, h("input", { type: "number", step: "any", inputmode: "decimal", name: `${name}.${key}`, value: values[key] ?? "" })]);
  const element = h(
    "fieldset",
    { class: "field numbers" },
    h("legend", {}, label),
    h("div", { class: "row" }, inputs.map(([key, input]) => h("label", {}, h("span", {}, key.replaceAll("_", " ")), input))),
    hint ? h("small", {}, hint) : null,
  );
  const read = () => Object.fromEntries(inputs.filter(([, input]) => input.value.trim() !== "").map(([key, input]) => [key, Number(input.value)]));
  return { name, element, value: read };
}
