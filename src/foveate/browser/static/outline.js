/** Lines around masks, by the rule of `imaging/overlay.py`. */

/** @typedef {import("./work.js").Box} Box */

/** Thickness of lines as a share of the picture's shorter side. */
const LINE_SHARE = 1 / 1000;
const FIELD_SHARE = 1 / 500;

/**
 * @param {number} width
 * @param {number} height
 * @returns {{line: number, field: number}} Pixels: of a mask's line, and of the field of view's.
 */
export function thickness(width, height) {
  const [line, field] = [LINE_SHARE, FIELD_SHARE].map((share) => Math.max(1, Math.round(Math.min(width, height) * share)));
  return { line, field };
}

/**
 * The pixels around a mask, just outside of it: those within `steps` of it (4-neighbours).
 * @param {Uint8Array} mask H×W.
 * @param {number} width
 * @param {Box} box Where to look.
 * @param {number} steps
 * @returns {(row: number, column: number) => boolean} For rows and columns of the box.
 */
export function around(mask, width, box, steps) {
  const near = grown(mask, width, box, steps, 0);
  return (row, column) => !mask[row * width + column] && near(row, column);
}

/**
 * The pixels of a region that are within `steps` of its edge; the picture's own edge is one, too.
 * @param {Uint8Array} region H×W.
 * @param {number} width
 * @param {Box} box
 * @param {number} steps
 * @returns {(row: number, column: number) => boolean}
 */
export function rim(region, width, box, steps) {
  const outside = region.map((value) => Number(!value));
  const near = grown(outside, width, box, steps, 1);
  return (row, column) => Boolean(region[row * width + column]) && near(row, column);
}

/**
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {Box} box
 * @param {number} steps
 * @param {0 | 1} beyond What lies beyond the picture.
 * @returns {(row: number, column: number) => boolean} Whether a pixel of the box is within `steps` of the mask.
 */
function grown(mask, width, box, steps, beyond) {
  const height = mask.length / width;
  const across = box.right - box.left + 2 * steps;
  const down = box.bottom - box.top + 2 * steps;
  let window = new Uint8Array(across * down);
  for (let y = 0; y < down; y++) {
    const row = box.top - steps + y;
    for (let x = 0; x < across; x++) {
      const column = box.left - steps + x;
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      window[y * across + x] = inside ? mask[row * width + column] : beyond;
    }
  }
  for (let step = 0; step < steps; step++) window = oneStep(window, across, down);
  return (row, column) => window[(row - box.top + steps) * across + column - box.left + steps] > 0;
}

/**
 * @param {Uint8Array} window
 * @param {number} across
 * @param {number} down
 */
function oneStep(window, across, down) {
  const next = window.slice();
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const at = y * across + x;
      if (!window[at]) continue;
      if (x > 0) next[at - 1] = 1;
      if (x < across - 1) next[at + 1] = 1;
      if (y > 0) next[at - across] = 1;
      if (y < down - 1) next[at + across] = 1;
    }
  }
  return next;
}
