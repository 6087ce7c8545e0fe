// A function known on the lattice of a triangle, as a picture: linear between three neighbours.
//
// The lattice has N steps along an edge; point (i, j) stands for fractions i / N and j / N of the first two elements,
// and is the i (2 N + 3 - i) / 2 + j-th of the list (i counts slowest, j from 0 to N - i).

export const SQRT3 = Math.sqrt(3);

/** Steps along an edge of a lattice of `points` points, (N + 1) (N + 2) / 2. */
export const stepsOf = (points) => Math.round((Math.sqrt(8 * points + 1) - 3) / 2);

const at = (i, j, n) => (i * (2 * n + 3 - i)) / 2 + j;

/** The value at fractions (a, b), null outside the triangle or beside a point that has none. */
export function between(values, n, a, b) {
  const tiny = 1e-9;
  if (a < -tiny || b < -tiny || a + b > 1 + tiny) return null;
  const [u, v] = [Math.max(0, a) * n, Math.max(0, b) * n];
  const i = Math.min(Math.floor(u + tiny), n);
  const j = Math.min(Math.floor(v + tiny), n - i);
  const [f, g] = [Math.max(0, u - i), Math.max(0, v - j)];
  const corners =
    f + g <= 1 || i + j + 2 > n
      ? [[i, j, 1 - f - g], [i + 1, j, f], [i, j + 1, g]]
      : [[i + 1, j + 1, f + g - 1], [i, j + 1, 1 - f], [i + 1, j, 1 - g]];
  let sum = 0;
  for (const [k, l, weight] of corners) {
    if (weight < tiny) continue;
    if (k + l > n) return null;
    const value = values[at(k, l, n)];
    if (value === null || value === undefined) return null;
    sum += weight * value;
  }
  return sum;
}

/** Where fractions (a, b) are drawn: the first element on top, the second at the left, for a ternary; else as x, y. */
export function placed(kind, a, b) {
  return kind === "ternary" ? [1 - a - b + a / 2, (a * SQRT3) / 2] : [a, b];
}

/** A picture of `size` columns: x, y and rows of values. */
export function picture(kind, values, size) {
  const n = stepsOf(values.length);
  const height = kind === "ternary" ? SQRT3 / 2 : 1;
  const x = Array.from({ length: size }, (_, i) => i / (size - 1));
  const up = Math.round(size * height);
  const y = Array.from({ length: up }, (_, i) => (height * i) / (up - 1));
  const z = y.map((one) => x.map((other) => between(values, n, ...inside(fractionsAt(kind, other, one), 1 / size))));
  return { x, y, z };
}

/** Fractions that are outside by less than a pixel belong to the edge: else it would be ragged. */
function inside([a, b], pixel) {
  const all = [a, b, 1 - a - b];
  if (Math.min(...all) < -pixel) return [a, b];
  const [x, y, z] = all.map((share) => Math.max(0, share));
  return [x / (x + y + z), y / (x + y + z)];
}

/** The fractions that are drawn at (x, y): the inverse of `placed`. */
export function fractionsAt(kind, x, y) {
  return kind === "ternary" ? [(2 * y) / SQRT3, 1 - x - y / SQRT3] : [x, y];
}
