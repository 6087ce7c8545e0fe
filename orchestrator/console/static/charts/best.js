// Best so far: every value as it came, and the best of those before it.

import * as front from "./front.js";
import { measured, number, plusMinus } from "../words.js";
import { layout } from "./theme.js";

export const name = "best";
export const title = "Best so far";

export async function draw(state, colours) {
  const { view } = state;
  if (view.objectives.length > 1) return front.draw(state, colours);
  const rows = [...state.samples.values()].filter((row) => row.value !== null && row.validity !== "failed").sort((a, b) => a.number - b.number);
  if (!rows.length) return { words: "No value yet." };
  const steps = view.best_so_far;
  const last = rows.at(-1).number;
  const line = { x: [...steps.map((one) => one.sample), last], y: [...steps.map((one) => one.value), steps.at(-1)?.value] };
  const unit = view.objective.unit;
  return {
    mark: JSON.stringify([rows.map((row) => [row.number, row.value, row.validity, row.rejected]), colours.dark]),
    words: view.best ? `${plusMinus(view.best.value, view.best.sigma, unit)}, film ${view.best.sample}.` : "No valid value yet.",
    data: [
      { ...line, mode: "lines", line: { shape: "hv", color: colours.accent, width: 2 }, hoverinfo: "skip" },
      points(rows.filter((row) => row.validity === "valid" && !row.rejected), { color: colours.ink, size: 6 }, colours),
      points(rows.filter((row) => row.rejected), { color: colours.bad, size: 8, symbol: "x-thin-open" }, colours),
      points(rows.filter((row) => row.validity === "censored" && !row.rejected), { color: colours.wait, size: 9, symbol: "triangle-up-open" }, colours),
      steps.length ? points([state.samples.get(steps.at(-1).sample)].filter(Boolean), { color: colours.best, size: 12, symbol: "star" }, colours) : {},
    ],
    layout: layout(colours, { xaxis: { title: "film", rangemode: "tozero", dtick: last <= 12 ? 1 : undefined, showgrid: false }, yaxis: { title: unit ? `${view.objective.quantity.replaceAll("_", " ")}, ${unit}` : undefined } }),
  };
}

function points(rows, marker, colours) {
  return {
    x: rows.map((row) => row.number),
    y: rows.map((row) => row.value),
    error_y: { type: "data", array: rows.map((row) => row.sigma ?? 0), thickness: 1, width: 0, color: colours.muted },
    text: rows.map((row) => `film ${row.number}: ${measured(row)}${row.mean === null ? "" : `<br>predicted ${number(row.mean)}`}`),
    hoverinfo: "text",
    mode: "markers",
    marker,
  };
}
