// The last hysteresis loop over that of the best sample.

import { get } from "../api.js";
import { plusMinus } from "../words.js";
import { layout } from "./theme.js";

export const name = "loop";
export const title = "Last loop over the best";

const fetched = new Map(); // sample -> promise of its loop, under the entry it came with

export async function draw(state, colours) {
  const { last_loop: last, best } = state.view;
  if (last === null) return { words: "No loop yet." };
  return of([last, best?.sample].filter((one, i, all) => one !== undefined && all.indexOf(one) === i), state, colours);
}

/** The loops of `samples`, the first on top. */
export async function of(samples, state, colours) {
  const loops = await Promise.all(samples.map((sample) => loopOf(sample, state)));
  const traces = loops.map((told, i) => ({
    x: told.loop.field_mt,
    y: told.loop.film ?? told.loop.signal,
    mode: "lines",
    line: { color: i ? colours.best : colours.accent, width: i ? 1.5 : 2, dash: i ? "dot" : "solid" },
    name: `film ${told.sample}`,
    hovertemplate: `film ${told.sample}<br>%{x:.1f} mT, %{y:.4g}<extra></extra>`,
  }));
  const unit = loops[0].loop.film ? loops[0].loop.film_unit : loops[0].loop.unit;
  return {
    mark: JSON.stringify([loops.map((told) => told.seq), colours.dark]),
    words: loops.map((told, i) => `${i ? "dotted: best, film" : "film"} ${told.sample}, ${told.value === null ? told.validity : plusMinus(told.value, told.sigma, told.unit)}`).join("; ") + ".",
    data: traces.reverse(),
    layout: layout(colours, { xaxis: { title: "field, mT", zeroline: true }, yaxis: { title: `${loops[0].loop.film ? "magnetisation" : "signal"}, ${unit}`, zeroline: true } }),
  };
}

function loopOf(sample, state) {
  const key = `${sample} ${state.samples.get(sample)?.observed_at}`;
  if (!fetched.has(key)) {
    const asked = get(`/api/samples/${sample}/loop`);
    asked.catch(() => fetched.delete(key));
    fetched.set(key, asked);
    if (fetched.size > 20) fetched.delete(fetched.keys().next().value);
  }
  return fetched.get(key);
}
