// The model over the space: what it expects, how sure it is, and where it would measure next; with the samples.

import { get } from "../api.js";
import { h } from "../dom.js";
import { made, measured, number } from "../words.js";
import { SQRT3, picture, placed } from "./lattice.js";
import { layout } from "./theme.js";

export const name = "map";
export const title = "Map of the model";

const SHOWN = { mean: "Mean", sigma: "Uncertainty", acquisition: "Acquisition" };
const SIZE = 140; // columns of the picture
const LEAST_MS = 3000; // between two questions: each costs the optimizer a moment

let what = "mean";
let panel = 0;
let known = null; // {key, map}
let asking = null;
let askedAt = -Infinity;
let redraw = () => {};
let select = null;

export function mount(element, draw) {
  redraw = draw;
  const choices = Object.entries(SHOWN).map(([value, label]) =>
    h("label", {}, h("input", { type: "radio", name: "map-shows", value, checked: value === what, onchange: () => {
      what = value;
      draw();
    } }), h("span", {}, label)),
  );
  select = h("select", { "aria-label": "Pair of elements", hidden: true, onchange: () => {
    panel = Number(select.value);
    draw();
  } });
  element.querySelector("figcaption").append(h("div", { class: "choices", role: "radiogroup", "aria-label": "The map shows" }, choices, select), h("p", { class: "legend" }, LEGEND.map((text) => h("span", {}, text))));
}

export async function draw(state, colours) {
  const { counts } = state.view;
  const key = `${state.boot} ${counts.valid} ${counts.censored} ${counts.suggested} ${counts.pending}`;
  if (known?.key !== key) await fetchMap(key);
  if (!known?.map) return { words: "There is no model yet: it needs its first values." };
  const { map } = known;
  offer(map.panels);
  const chosen = map.panels[Math.min(panel, map.panels.length - 1)];
  const words = `${SHOWN[what]}${what === "acquisition" ? "" : `, ${map.unit}`}; the model knows ${map.observed} values.`;
  const mark = JSON.stringify([known.key, what, panel, colours.dark, [...state.samples.values()].map((row) => [row.phase, row.rejected])]);
  const [data, more] = chosen.kind === "line" ? curve(chosen, state, colours, map.unit) : surface(chosen, state, colours);
  return { mark, words, data, layout: layout(colours, more) };
}

const LEGEND = ["● valid", "▲ censored", "✕ failed or rejected", "★ best", "◇ next"];

async function fetchMap(key) {
  if (asking) return asking;
  const left = askedAt + LEAST_MS - performance.now();
  if (left > 0 && known) {
    setTimeout(redraw, left);
    return null;
  }
  askedAt = performance.now();
  asking = get("/api/map")
    .then((told) => {
      known = { key, map: told.map };
    })
    .finally(() => {
      asking = null;
    });
  return asking;
}

function offer(panels) {
  select.hidden = panels.length < 2;
  if (select.options.length !== panels.length) {
    select.replaceChildren(...panels.map((one, i) => h("option", { value: i }, one.elements.join(" – "))));
  }
}

function surface(chosen, state, colours) {
  const { kind, elements, feasible } = chosen;
  const values = chosen[what].map((value, i) => (feasible[i] ? value : null));
  const inside = values.filter((value) => value !== null).sort((a, b) => a - b);
  // A logarithm of an improvement that is as good as impossible has no bottom: the lowest tenth is one colour.
  const low = what === "acquisition" ? inside[Math.floor(inside.length / 10)] : inside[0];
  const drawn = picture(kind, values, SIZE);
  const heat = {
    type: "heatmap", ...drawn, zsmooth: false, zmin: low, zmax: inside.at(-1), hoverongaps: false,
    colorscale: { mean: "Viridis", sigma: "Cividis", acquisition: "Viridis" }[what],
    hoverinfo: "skip",
    colorbar: { thickness: 8, len: 0.9, outlinewidth: 0, tickformat: ".4~g", tickfont: { size: 10 }, x: 1.02, xpad: 2 },
  };
  const frame = kind === "ternary" ? { xaxis: { ...HIDDEN, range: [-0.04, 1.04] }, yaxis: { ...HIDDEN, range: [-0.02, 0.9], scaleanchor: "x" } } : { xaxis: { title: `${elements[0]}, fraction` }, yaxis: { title: `${elements[1]}, fraction`, scaleanchor: "x" } };
  return [
    [heat, ...(kind === "ternary" ? [surround(colours)] : []), told(chosen, values), ...samples(state, elements, (a, b) => placed(kind, a, b), colours)],
    { ...frame, margin: { l: 12, r: 54, t: 12, b: kind === "ternary" ? 20 : 36 }, shapes: kind === "ternary" ? [edge(colours)] : [], annotations: kind === "ternary" ? corners(elements, colours) : [] },
  ];
}

const HIDDEN = { visible: false, showgrid: false, zeroline: false };

/** What the model says at each point of its lattice, for whoever points there. */
function told({ kind, elements, compositions }, values) {
  const inside = compositions.map((_, i) => i).filter((i) => values[i] !== null);
  const at = inside.map((i) => placed(kind, compositions[i][0], compositions[i][1]));
  return {
    x: at.map(([x]) => x), y: at.map(([, y]) => y), mode: "markers", marker: { size: 9, color: "rgba(0,0,0,0)" }, hoverinfo: "text",
    text: inside.map((i) => `${compositions[i].map((share, e) => `${elements[e]} ${(100 * share).toFixed(0)}`).join(" ")}<br>${SHOWN[what].toLowerCase()} ${number(values[i])}`),
  };
}

/** Hides the picture's pixels beyond the triangle. */
function surround(colours) {
  const [top, peak] = [1, SQRT3 / 2];
  const ring = [[-0.1, -0.1], [-0.1, top], [0.5, top], [0.5, peak], [0, 0], [1, 0], [0.5, peak], [0.5, top], [1.1, top], [1.1, -0.1]];
  return { x: ring.map(([x]) => x), y: ring.map(([, y]) => y), mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: colours.panel, hoverinfo: "skip" };
}

const edge = (colours) => ({ type: "path", path: `M 0 0 L 1 0 L 0.5 ${SQRT3 / 2} Z`, line: { color: colours.ink, width: 1.5 }, layer: "above" });

function corners(elements, colours) {
  const label = (text, x, y, yanchor) => ({ text, x, y, showarrow: false, yanchor, font: { size: 13, color: colours.ink } });
  return [label(elements[0], 0.5, SQRT3 / 2, "bottom"), label(elements[1], 0, 0, "top"), label(elements[2], 1, 0, "top")];
}

/** Traces of the samples, at `place(first fraction, second)`. */
function samples(state, elements, place, colours) {
  const all = [...state.samples.values()];
  const { best, next } = state.view;
  const of = (row) => (row.achieved ?? row).composition;
  const trace = (rows, marker) => {
    const at = rows.map((row) => place(of(row)[elements[0]] ?? 0, of(row)[elements[1]] ?? 0));
    return {
      x: at.map(([x]) => x), y: at.map(([, y]) => y), mode: "markers", hoverinfo: "text",
      text: rows.map((row) => `film ${row.number}: ${made(of(row))}<br>${row.validity ? measured(row) : row.phase}`),
      marker: { size: 8, line: { color: "#10151a", width: 1 }, ...marker },
    };
  };
  const valid = all.filter((row) => row.validity === "valid" && !row.rejected && row.number !== best?.sample);
  return [
    trace(valid, { color: "#ffffff" }),
    trace(all.filter((row) => row.validity === "censored" && !row.rejected), { color: "#ffffff", symbol: "triangle-up", size: 10 }),
    trace(all.filter((row) => row.validity === "failed" || row.rejected), { color: "#ffffff", symbol: "x" }),
    trace(all.filter((row) => row.number === best?.sample), { color: colours.best, symbol: "star", size: 16 }),
    trace(all.filter((row) => row.number === next?.sample), { color: "#ffffff", symbol: "diamond", size: 12, line: { color: "#10151a", width: 2.5 } }),
  ];
}

function curve({ elements, compositions, feasible, mean, sigma, acquisition }, state, colours, unit) {
  const keep = compositions.map((_, i) => i).filter((i) => feasible[i]);
  const x = keep.map((i) => compositions[i][0]);
  const line = (y, more) => ({ x, y, mode: "lines", hovertemplate: "%{x:.2f}: %{y:.4g}<extra></extra>", ...more });
  const values = { mean, sigma, acquisition }[what];
  const data = what === "mean"
    ? [
        line(keep.map((i) => mean[i] - sigma[i]), { line: { width: 0 }, hoverinfo: "skip", hovertemplate: undefined }),
        line(keep.map((i) => mean[i] + sigma[i]), { line: { width: 0 }, fill: "tonexty", fillcolor: `${colours.accent}33`, hoverinfo: "skip", hovertemplate: undefined }),
        line(keep.map((i) => mean[i]), { line: { color: colours.accent } }),
        points(state, elements, colours),
      ]
    : [line(keep.map((i) => values[i]), { line: { color: colours.accent } })];
  return [data, { xaxis: { title: `${elements[0]}, fraction` }, yaxis: { title: what === "acquisition" ? "acquisition" : `${SHOWN[what].toLowerCase()}, ${unit}` } }];
}

function points(state, elements, colours) {
  const rows = [...state.samples.values()].filter((row) => row.validity === "valid");
  return {
    x: rows.map((row) => (row.achieved ?? row).composition[elements[0]] ?? 0), y: rows.map((row) => row.value), mode: "markers",
    marker: { color: colours.ink, size: 7 }, text: rows.map((row) => `film ${row.number}: ${number(row.value)}`), hoverinfo: "text",
  };
}
