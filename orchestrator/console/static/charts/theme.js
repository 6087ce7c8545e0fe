// How all figures look: colours are those of the page.

export function theme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return { ink: of("ink"), muted: of("muted"), line: of("line"), panel: of("panel"), accent: of("accent"), best: of("best"), bad: of("bad"), ok: of("ok"), wait: of("wait"), dark: matchMedia("(prefers-color-scheme: dark)").matches };
}

/** A layout, with `more` merged into it and into its axes. */
export function layout(colours, { xaxis = {}, yaxis = {}, ...more } = {}) {
  const axis = { gridcolor: colours.line, zerolinecolor: colours.line, linecolor: colours.line, automargin: true, tickfont: { size: 11 }, fixedrange: true, title: { standoff: 6 } };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "inherit", size: 12, color: colours.muted },
    margin: { l: 44, r: 10, t: 6, b: 36 },
    showlegend: false,
    hovermode: "closest",
    hoverlabel: { bgcolor: colours.panel, bordercolor: colours.line, font: { color: colours.ink, size: 12 } },
    xaxis: merged(axis, xaxis),
    yaxis: merged(axis, yaxis),
    ...more,
  };
}

function merged(axis, more) {
  const title = typeof more.title === "string" ? { text: more.title } : more.title;
  return { ...axis, ...more, title: { ...axis.title, ...title, font: { size: 12 } } };
}
