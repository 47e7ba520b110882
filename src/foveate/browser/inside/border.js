/**
 * What lies around the eye in a fundus photograph: dark border, and what someone drew, stuck or printed onto it.
 *
 * The rules, and the reasons for their numbers, are those of `arrays/border.py`.
 */

/** Grey level under which a whole image counts as black. */
export const BLACK = 24;

const FULL = 0.95;
const ENDED = 0.85;

/** @typedef {{data: Uint8Array, height: number, width: number}} Grey H×W, 0 to 255; or a mask, 0 and 1. */

/** @typedef {{top: number, left: number, bottom: number, right: number}} Box Bottom and right are one past the end. */

/**
 * @param {ArrayLike<number>} values Not empty.
 * @param {number} share 0 to 1; between two values linear, as NumPy has it.
 */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/**
 * Levels that may separate dark border from lit disc; none where the corners are not darker than the middle.
 * @param {Grey} small
 * @returns {number[]}
 */
export function borderLevels(small) {
  const { height, width } = small;
  const side = Math.max(2, roundHalfEven(0.03 * Math.min(height, width)));
  const corners = [];
  for (const top of [0, height - side]) {
    for (const left of [0, width - side]) {
      corners.push(...cut(small, { top, left, bottom: top + side, right: left + side }));
    }
  }
  const dark = quantile(corners, 0.5);
  const noise = quantile(corners.map((level) => Math.abs(level - dark)), 0.5);
  return levelsAbove(dark, middleOf(small), noise);
}

/**
 * The same by the image's darkest pixels, wherever they lie; its corners may have marks on them.
 * @param {Grey} small
 * @returns {number[]}
 */
export function levelsOfDarkest(small) {
  return levelsAbove(quantile(small.data, 0.005), middleOf(small), 0);
}

/**
 * @param {number} dark
 * @param {number} middle
 * @param {number} noise
 * @returns {number[]}
 */
function levelsAbove(dark, middle, noise) {
  if (dark > BLACK && dark * 3 > middle) return [];
  return [0.12, 0.2, 0.3, 0.4].map((share) => dark + Math.max(6 * noise, share * (middle - dark), 4));
}

/**
 * The grey level of the image's middle.
 * @param {Grey} small
 */
export function middleOf(small) {
  const { height, width } = small;
  const down = Math.floor(height / 4);
  const across = Math.floor(width / 4);
  return quantile(cut(small, { top: down, left: across, bottom: height - down, right: width - across }), 0.5);
}

/**
 * The part of a mask of lit pixels that bright bars and frames at the picture's edge leave free.
 * @param {Grey} lit
 * @returns {Box}
 */
export function insideFrame(lit) {
  const { rows, columns } = sharesOf(lit);
  return {
    top: barOf(rows),
    bottom: rows.length - barOf([...rows].reverse()),
    left: barOf(columns),
    right: columns.length - barOf([...columns].reverse()),
  };
}

/**
 * How much of each row and column of a mask is lit, 0 to 1.
 * @param {Grey} lit
 * @returns {{rows: number[], columns: number[]}}
 */
export function sharesOf({ data, height, width }) {
  const rows = new Array(height).fill(0);
  const columns = new Array(width).fill(0);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      rows[row] += data[row * width + column];
      columns[column] += data[row * width + column];
    }
  }
  return { rows: rows.map((sum) => sum / width), columns: columns.map((sum) => sum / height) };
}

/**
 * How many of the first lines a bar takes up, with what lies outside it; 0 where there is none.
 * @param {number[]} shares
 */
function barOf(shares) {
  const third = Math.floor(shares.length / 3);
  const first = shares.slice(0, third).findIndex((share) => share >= FULL);
  if (first < 0) return 0;
  const ended = shares.slice(first, third + 2).findIndex((share) => share < ENDED);
  if (ended < 0) return 0;
  const end = first + ended;
  let last = first;
  for (let line = first; line < Math.min(end, third); line++) if (shares[line] >= FULL) last = line;
  return end - last <= 2 ? last + 1 : 0;
}

/**
 * @param {Grey} picture
 * @param {Box} box
 * @returns {Uint8Array} The picture's part in the box.
 */
export function cut({ data, width }, { top, left, bottom, right }) {
  const part = new Uint8Array((bottom - top) * (right - left));
  for (let row = top; row < bottom; row++) {
    part.set(data.subarray(row * width + left, row * width + right), (row - top) * (right - left));
  }
  return part;
}

/**
 * As Python rounds: a half goes to the even number.
 * @param {number} value
 */
export function roundHalfEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
