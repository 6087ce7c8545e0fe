// The figures.  The library that draws them is asked for once the state and the buttons are there, and the figures are
// in sight; until then, and where it is not to be had, the page is whole without them.

import * as best from "./charts/best.js";
import * as calibration from "./charts/calibration.js";
import * as loop from "./charts/loop.js";
import * as map from "./charts/map.js";
import * as signals from "./charts/signals.js";
import { theme } from "./charts/theme.js";
import { $, h, say } from "./dom.js";
import { changed, state, watch } from "./store.js";

const LIBRARY = "/vendor/plotly.min.js";
const CHARTS = [best, map, loop, calibration];
const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: "reset" };

let library = null;
let inSight = false;
const drawn = new Map(); // chart -> mark of what was drawn

export function mount() {
  const places = CHARTS.map((chart) => [chart, figure(chart)]);
  const live = h("figure", { id: "figure-signals" }, h("figcaption", {}, h("h3", {}, "Live signals"), h("p", { class: "told" })), h("div", { class: "sparks" }));
  $("figures").append(...places.map(([, element]) => element), live);
  signals.mount(live);
  for (const [chart, element] of places) chart.mount?.(element, () => draw(chart, element));
  watch(["view", "samples", "figures"], () => inSight && state.view && drawAll(places));
  new IntersectionObserver((seen) => {
    inSight = seen.some((one) => one.isIntersecting);
    if (inSight) changed("figures");
  }, { rootMargin: "300px" }).observe($("figures"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    drawn.clear();
    changed("figures");
  });
}

function figure(chart) {
  return h(
    "figure",
    { id: `figure-${chart.name}` },
    h("figcaption", {}, h("h3", {}, chart.title), h("p", { class: "told" })),
    h("div", { class: "figure", role: "img", "aria-label": chart.title }),
  );
}

function drawAll(places) {
  places.forEach(([chart, element]) => draw(chart, element));
}

async function draw(chart, element) {
  const told = await chart.draw(state, theme()).catch((refusal) => ({ words: `Not to be had: ${refusal.message}.` }));
  const [caption, place] = [element.querySelector(".told"), element.querySelector(".figure")];
  say(caption, told.words ?? "");
  place.setAttribute("aria-label", `${chart.title}. ${told.words ?? ""}`);
  element.classList.toggle("empty", !told.data);
  if (!told.data || drawn.get(chart) === told.mark) return;
  drawn.set(chart, told.mark);
  try {
    const plotly = await theLibrary();
    await plotly.react(place, told.data, told.layout, CONFIG);
  } catch (error) {
    drawn.delete(chart);
    say(caption, error.message);
  }
}

/** The loops of samples, drawn into `place`. */
export async function loopFigure(place, samples) {
  const told = await loop.of(samples, state, theme());
  const plotly = await theLibrary();
  await plotly.react(place, told.data, told.layout, CONFIG);
}

function theLibrary() {
  library ??= new Promise((resolve, reject) => {
    const script = h("script", { src: LIBRARY, async: true });
    script.addEventListener("load", () => resolve(globalThis.Plotly));
    script.addEventListener("error", () => {
      script.remove();
      library = null;
      reject(new Error("The figures' library cannot be fetched: they are drawn when it can."));
    });
    document.head.append(script);
  });
  return library;
}

