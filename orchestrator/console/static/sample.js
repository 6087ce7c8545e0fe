// All that is known of one sample, in a dialog: why it was chosen, its film, what its loop gave.

import { get } from "./api.js";
import { show } from "./ask.js";
import { h } from "./dom.js";
import { loopFigure } from "./plots.js";
import { actionButtons } from "./search.js";
import { state } from "./store.js";
import { clock, made, measured, number, plusMinus, spaced } from "./words.js";
import { explained } from "./why.js";

export async function open(sample) {
  const row = state.samples.get(sample);
  const body = h("div", { class: "sample" }, h("p", { class: "none" }, "Being fetched…"));
  show(`Film ${sample}`, body);
  try {
    const told = await get(`/api/samples/${sample}`);
    body.replaceChildren(...contents(told));
  } catch (refusal) {
    body.replaceChildren(h("p", { class: "trouble" }, refusal.message));
    return;
  }
  if (row?.has_loop) {
    const place = h("div", { class: "figure loop" });
    body.append(h("h3", {}, "Its loop"), place);
    loopFigure(place, [sample]).catch((error) => place.replaceChildren(h("p", { class: "trouble" }, error.message)));
  }
}

function contents({ sample, why, quantities, film }) {
  const unit = state.view?.objective.unit ?? "";
  return [
    h("div", { class: "small-buttons" }, actionButtons(sample)),
    h("h3", {}, "Measured"),
    lines([
      ["Value", `${measured(sample)}${sample.validity ? `, ${sample.validity}` : ""}`],
      ...Object.entries(quantities).filter(([, q]) => q).map(([name, q]) => [spaced(name), plusMinus(q.value, q.sigma, q.unit)]),
      sample.rejected ? ["Rejected", sample.rejected] : null,
      sample.reason ? ["Remark", sample.reason] : null,
    ]),
    h("h3", {}, "Made"),
    lines([
      ["Asked for", `${made(sample.composition, sample.settings)} at.%`],
      sample.achieved ? ["Achieved", `${made(sample.achieved.composition)} at.%`] : null,
      sample.achieved ? ["Thickness", plusMinus(sample.achieved.thickness_nm, sample.achieved.thickness_sigma_nm, "nm")] : null,
      film ? ["Shutter open", `${number(film.shutter_open_s)} s`] : null,
      ["Where", `${sample.place}, slot ${sample.slot}`],
      ["Suggested", clock(sample.suggested_at)],
      ["Measured", clock(sample.observed_at)],
    ]),
    h("h3", {}, "Why it was chosen"),
    h("div", { class: "why" }, explained(why, unit, state.view?.elements ?? [])),
  ];
}

function lines(told) {
  return h("dl", { class: "reasons" }, told.filter(Boolean).map(([term, what]) => h("div", {}, h("dt", {}, term), h("dd", {}, what))));
}
