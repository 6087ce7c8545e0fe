// Numbers, times and compositions as the page says them.  What is not known is a dash, never 0.

export const DASH = "–";
const known = (x) => typeof x === "number" && Number.isFinite(x);

/** A number to `digits` significant ones. */
export function number(x, digits = 4) {
  if (!known(x)) return DASH;
  const text = Number(x.toPrecision(digits));
  return (Math.abs(text) >= 1e5 || (text !== 0 && Math.abs(text) < 1e-3) ? x.toPrecision(digits) : String(text)).replace("-", "−");
}

/** Such as `1893 ± 12 kA/m`: the uncertainty to two digits, the value to as many places. */
export function plusMinus(value, sigma, unit = "") {
  if (!known(value)) return DASH;
  if (!known(sigma) || sigma <= 0) return joined(number(value), unit);
  const places = Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(sigma))));
  return joined(`${value.toFixed(places).replace("-", "−")} ± ${sigma.toFixed(places)}`, unit);
}

const PREFIXES = [[1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];
const SCALED = ["V", "A", "W", "Pa", "T", "A m2"];

/** A reading to `digits` digits, its unit with a prefix where the number is small. */
export function quantity(x, unit = "", digits = 4) {
  if (!known(x)) return DASH;
  if (!SCALED.includes(unit) || x === 0 || Math.abs(x) >= 0.1) return joined(number(x, digits), unit);
  const [scale, prefix] = PREFIXES.find(([one]) => Math.abs(x) >= one) ?? PREFIXES.at(-1);
  return `${number(x / scale, digits)} ${prefix}${unit}`;
}

function joined(text, unit) {
  return unit && unit !== "1" ? `${text} ${unit}` : text;
}

/** A censored one is a bound. */
export function measured(row) {
  if (!known(row.value)) return DASH;
  const sign = { lower: "≥ ", upper: "≤ " }[row.bound] ?? "";
  return sign + plusMinus(row.value, row.sigma, row.unit);
}

/** All that a film is judged by, such as `saturation magnetisation 1800 ± 20 kA/m, coercivity 3.1 ± 0.2 mT`. */
export function outcomes(told) {
  return Object.entries(told).map(([name, one]) => `${spaced(name)} ${measured({ ...one, value: one.value ?? one.mean ?? null })}`).join(", ");
}

const two = (n) => String(n).padStart(2, "0");
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Lab time as `06:10`; with the day if that is further from `now` than a night. */
export function clock(t, now = t, seconds = false) {
  if (!known(t)) return DASH;
  const at = new Date(1000 * t);
  const text = `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ""}`;
  return Math.abs(t - now) > 18 * 3600 ? `${DAYS[at.getDay()]} ${text}` : text;
}

/** Such as `4 min`, `1 h 20 min`, `12 s`. */
export function span(seconds) {
  if (!known(seconds)) return DASH;
  const left = Math.max(0, seconds);
  if (left < 60) return `${Math.floor(left)} s`;
  const minutes = Math.floor(left / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** Such as `4 of 11 min`. */
export function ofSpan(seconds, all) {
  if (!known(all)) return span(seconds);
  if (all < 120) return `${Math.max(0, Math.floor(seconds))} of ${Math.round(all)} s`;
  const [one, other] = [span(seconds), span(all)];
  const unit = other.slice(other.lastIndexOf(" "));
  return all < 3600 && one.endsWith(unit) ? `${one.slice(0, -unit.length)} of ${other}` : `${one} of ${other}`;
}

/** Elements with their at.%, in the campaign's order. */
export function parts(composition) {
  return Object.entries(composition)
    .filter(([, share]) => share >= 5e-4)
    .map(([element, share]) => [element, String(Number((100 * share).toFixed(1)))]);
}

/** Such as `Fe 64 Co 36`. */
export function made(composition, settings = {}) {
  const elements = parts(composition).map(([element, amount]) => `${element} ${amount}`);
  return [elements.join("  "), ...Object.entries(settings).map(([name, value]) => `${spaced(name)} ${number(value)}`)].join(", ");
}

export const spaced = (name) => name.replaceAll("_", " ");
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
export const percent = (share) => (known(share) ? `${Math.round(100 * share)} %` : DASH);
