// Several objectives: the first two against each other, and the films that none is better than.

import { count, made, outcomes, spaced } from "../words.js";
import { layout } from "./theme.js";

export async function draw(state, colours) {
  const { view } = state;
  const [x, y] = view.objectives;
  const rows = [...state.samples.values()].filter((row) => !row.rejected && known(row, x) && known(row, y));
  if (!rows.length) return { words: "No film has been measured in both yet." };
  const front = new Map(view.front.map((film) => [film.sample, film]));
  const others = rows.filter((row) => !front.has(row.number));
  const staged = view.front.map((film) => ({ number: film.sample, composition: film.composition, settings: film.settings, outcomes: film.outcomes, broken: [] }));
  const two = view.objectives.length === 2;
  return {
    mark: JSON.stringify([rows.map((row) => [row.number, row.outcomes]), [...front.keys()], view.best?.sample, colours.dark]),
    words: `${count(front.size, "film")} that none is better than${view.limits.length ? `, of those with ${view.limits.join(" and ")}` : ""}.${view.best ? ` By the weights film ${view.best.sample}: ${outcomes(view.best.outcomes)}.` : ""}`,
    data: [
      two ? { ...stairs(staged, x, y), mode: "lines", line: { color: colours.accent, width: 1.5 }, hoverinfo: "skip" } : {},
      points(others.filter((row) => !row.broken.length), x, y, { color: colours.muted, size: 6 }, colours),
      points(others.filter((row) => row.broken.length), x, y, { color: colours.bad, size: 7, symbol: "x-thin-open" }, colours),
      points(staged, x, y, { color: colours.accent, size: 9 }, colours),
      points(staged.filter((row) => row.number === view.best?.sample), x, y, { color: colours.best, size: 13, symbol: "star" }, colours),
    ],
    layout: layout(colours, { xaxis: { title: titled(x) }, yaxis: { title: titled(y) } }),
  };
}

const known = (row, { quantity }) => typeof row.outcomes[quantity]?.value === "number" && row.outcomes[quantity].validity !== "failed";
const value = (row, { quantity }) => row.outcomes[quantity].value;
const titled = ({ quantity, unit, direction }) => `${spaced(quantity)}, ${unit} (${direction === "max" ? "more" : "less"} is better)`;

/** From film to film along the front, by way of what both of two neighbours are better than. */
function stairs(films, x, y) {
  const line = { x: [], y: [] };
  films.forEach((film, i) => {
    if (i) {
      line.x.push(value(film, x));
      line.y.push(value(films[i - 1], y));
    }
    line.x.push(value(film, x));
    line.y.push(value(film, y));
  });
  return line;
}

function points(rows, x, y, marker, colours) {
  const bars = (axis) => ({ type: "data", array: rows.map((row) => row.outcomes[axis.quantity].sigma ?? 0), thickness: 1, width: 0, color: colours.muted });
  return {
    x: rows.map((row) => value(row, x)),
    y: rows.map((row) => value(row, y)),
    error_x: bars(x),
    error_y: bars(y),
    text: rows.map((row) => `film ${row.number}: ${outcomes(row.outcomes)}<br>${made(row.composition, row.settings)}`),
    hoverinfo: "text",
    mode: "markers",
    marker,
  };
}
