/** The circle that most points agree on: consensus, then least squares (Kåsa, 1976), as `arrays/fov.py`. */

/** @typedef {{row: number, column: number, radius: number, agreement: number}} Circle */

/** @typedef {{rows: number[], columns: number[]}} Points */

/** Points that agree lie within this share of the radius. */
const NEAR = 0.01;

const TRIOS = 300;

/** About so many points, evenly taken, say which of the trios' circles is the best. */
const COUNTED = 250;

/** The root of x⁴ = x + 1: multiples of its three inverse powers fill a cube evenly (Roberts, 2018). */
const EVENLY = 1.2207440846057596;

/**
 * @param {Points} points
 * @returns {Circle | null} Null unless half of the points agree.
 */
export function fitCircle(points) {
  const count = points.rows.length;
  if (count < 30) return null;
  let chosen = consensus(points);
  let circle = { row: 0, column: 0, radius: 0 };
  // Three points give a rough circle: it is fitted to all that agree with it, and these are chosen anew.
  for (let turn = 0; turn < 3; turn++) {
    if (chosen.length / count < 0.5) return null;
    circle = solve(points, chosen);
    chosen = near(points, circle);
  }
  return { ...circle, agreement: chosen.length / count };
}

/**
 * The points that agree with the best of 300 circles through three points each.
 * @param {Points} points
 * @returns {number[]}
 */
function consensus(points) {
  const count = points.rows.length;
  const step = Math.max(1, Math.floor(count / COUNTED));
  const taken = (/** @type {number} */ _, /** @type {number} */ each) => each % step === 0;
  const few = { rows: points.rows.filter(taken), columns: points.columns.filter(taken) };
  let best = { row: 0, column: 0, radius: 0 };
  let most = -1;
  for (let trio = 1; trio <= TRIOS; trio++) {
    const three = [1, 2, 3].map((power) => Math.floor(((trio * EVENLY ** -power) % 1) * count));
    const circle = solve(points, three);
    const agreeing = near(few, circle).length;
    if (agreeing > most) [best, most] = [circle, agreeing];
  }
  return near(points, best);
}

/**
 * @param {Points} points
 * @param {{row: number, column: number, radius: number}} circle
 * @returns {number[]} The numbers of the points near the circle.
 */
function near({ rows, columns }, { row, column, radius }) {
  const found = [];
  for (let each = 0; each < rows.length; each++) {
    const down = rows[each] - row;
    const across = columns[each] - column;
    if (Math.abs(Math.sqrt(down * down + across * across) - radius) < NEAR * radius) found.push(each);
  }
  return found;
}

/**
 * Kåsa's fit about the points' mean. Points on one line give a radius of 0.
 * @param {Points} points
 * @param {number[]} chosen
 * @returns {{row: number, column: number, radius: number}}
 */
function solve({ rows, columns }, chosen) {
  const meanRow = chosen.reduce((sum, each) => sum + rows[each], 0) / chosen.length;
  const meanColumn = chosen.reduce((sum, each) => sum + columns[each], 0) / chosen.length;
  let uu = 0, uv = 0, vv = 0, u = 0, v = 0;
  for (const each of chosen) {
    const down = rows[each] - meanRow;
    const across = columns[each] - meanColumn;
    const square = down * down + across * across;
    uu += down * down;
    uv += down * across;
    vv += across * across;
    u += (down * square) / 2;
    v += (across * square) / 2;
  }
  const determinant = uu * vv - uv * uv;
  if (determinant <= 1e-9 * (uu + vv) ** 2) return { row: meanRow, column: meanColumn, radius: 0 };
  const row = (u * vv - v * uv) / determinant;
  const column = (v * uu - u * uv) / determinant;
  const radius = Math.sqrt(row * row + column * column + (uu + vv) / chosen.length);
  return { row: row + meanRow, column: column + meanColumn, radius };
}
