// How well the model knows what it does not know: each value against its prediction from all others.

import { percent } from "../words.js";
import { layout } from "./theme.js";

export const name = "calibration";
export const title = "Calibration of the model";

export async function draw(state, colours) {
  const model = state.view.model;
  const residuals = Object.entries(model?.residuals ?? {}).map(([sample, z]) => [Number(sample), z]);
  if (!residuals.length) return { words: "Not assessed yet." };
  const far = (z) => Math.abs(z) > 2;
  const concerns = model.concerns.map((one) => one.text).filter(Boolean);
  const within = model.within_one === null ? "" : `${percent(model.within_one)} within 1 σ (68 % expected), ${percent(model.within_two)} within 2 σ (95 %).`;
  return {
    mark: JSON.stringify([residuals, colours.dark]),
    words: [within || `${residuals.filter(([, z]) => Math.abs(z) <= 1).length} of ${residuals.length} within 1 σ.`, ...concerns.map((text) => `${text.replace(/\.$/, "")}.`)].join(" "),
    data: [
      {
        x: residuals.map(([sample]) => sample),
        y: residuals.map(([, z]) => z),
        mode: "markers",
        marker: { size: 8, color: residuals.map(([, z]) => (far(z) ? colours.bad : colours.ink)), symbol: residuals.map(([, z]) => (far(z) ? "x" : "circle")) },
        text: residuals.map(([sample, z]) => `film ${sample}: ${z >= 0 ? "+" : "−"}${Math.abs(z).toFixed(2)} σ`),
        hoverinfo: "text",
      },
    ],
    layout: layout(colours, {
      xaxis: { title: "film", showgrid: false },
      yaxis: { title: "value − prediction, σ", range: [Math.min(-3, ...residuals.map(([, z]) => z - 0.5)), Math.max(3, ...residuals.map(([, z]) => z + 0.5))], dtick: 1 },
      shapes: [band(2, colours, 0.08), band(1, colours, 0.14)],
    }),
  };
}

function band(sigmas, colours, opacity) {
  return { type: "rect", xref: "paper", x0: 0, x1: 1, y0: -sigmas, y1: sigmas, fillcolor: colours.accent, opacity, line: { width: 0 }, layer: "below" };
}
