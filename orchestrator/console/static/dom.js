// Elements from plain values.  Text only ever becomes text: nothing that the lab, the journal or a person says is read
// as markup.

export const $ = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("p", {class: "x", onclick: f, "aria-label": "..."}, child, ...)`; children are nodes, texts or lists. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same, of SVG. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, to] of Object.entries(value)) element.style.setProperty(key, to);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set a text, only where it changes: what is selected or being read out stays. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Put `children` into `element` instead of what it has; only if `mark` (any text) differs from the last one. */
export function fill(element, mark, children) {
  if (element.dataset.mark === mark) return;
  element.dataset.mark = mark;
  element.replaceChildren(...children().flat(Infinity).filter(Boolean));
}

const shown = new WeakMap(); // parent -> key -> row

/** Show rows under their keys: `make(key)` makes one, `update(row, item)` brings it up to date; in the items' order. */
export function rows(parent, items, keyOf, make, update) {
  if (!shown.has(parent)) shown.set(parent, new Map());
  const had = shown.get(parent);
  const wanted = new Set(items.map(keyOf));
  for (const [key, row] of had) {
    if (!wanted.has(key)) {
      row.remove();
      had.delete(key);
    }
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let row = had.get(key);
    if (row === undefined) {
      row = make(item);
      had.set(key, row);
    }
    if (row === at) at = at.nextElementSibling;
    else parent.insertBefore(row, at);
    update(row, item);
  }
}
