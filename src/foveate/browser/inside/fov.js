/**
 * The field of view (FOV) of a fundus photograph: the lit disc inside a dark border, by the rules of `arrays/fov.py`.
 */

import {
  BLACK, borderLevels, cut, insideFrame, levelsOfDarkest, middleOf, roundHalfEven, sharesOf,
} from "./border.js";
import { fitCircle } from "./circle.js";
import { largePieces, notOutside } from "./components.js";
import { BOX, nearest, resample } from "./resample.js";

/** @typedef {import("./border.js").Grey} Grey */
/** @typedef {import("./border.js").Box} Box */
/** @typedef {import("./circle.js").Circle} Circle */

/**
 * @typedef {object} FieldOfView
 * @property {Uint8Array} mask H×W, 1 inside.
 * @property {number} diameter Pixels; 0 when there is nothing to see.
 * @property {Box} box
 * @property {string} note What had to be decided; empty for an ordinary photograph.
 */

export const NOTHING = "the image is black: nothing was segmented";
const NO_BORDER = "no dark border found: the whole image is taken as the field of view";
const NO_DISC = "the field of view is not a disc: the area inside the dark border is taken";

/** The longer side, in pixels, at which the border is searched. */
const SEARCH_SIZE = 768;

/**
 * @param {Uint8Array | Uint8ClampedArray} pixels H×W×4.
 * @param {number} height
 * @param {number} width
 * @param {"find" | "whole"} rule
 * @returns {FieldOfView}
 */
export function fieldOfView(pixels, height, width, rule) {
  if (rule === "whole") return ofMask(new Uint8Array(height * width).fill(1), height, width);
  const small = brightness(pixels, height, width);
  if (small.data.every((level) => level < BLACK)) {
    return ofMask(new Uint8Array(height * width), height, width, undefined, NOTHING);
  }
  let levels = borderLevels(small);
  let best = bestDisc(small, levels, true);
  if (!best) {
    // Marks in the corners hide the border from the search there, pieces of print and bars the disc's edge.
    const darkest = levelsOfDarkest(small);
    best = bestDisc(small, darkest, false);
    if (!levels.length) levels = darkest;
  }
  return best ? disc(best, height, width) : noDisc(small, levels, height, width);
}

/**
 * @param {Uint8Array} mask
 * @param {number} height
 * @param {number} width
 * @param {number} [diameter]
 * @param {string} [note]
 * @returns {FieldOfView}
 */
function ofMask(mask, height, width, diameter, note = "") {
  const { rows, columns } = sharesOf({ data: mask, height, width });
  const top = rows.findIndex(Boolean);
  if (top < 0) return { mask, diameter: 0, box: { top: 0, left: 0, bottom: 0, right: 0 }, note };
  const box = {
    top, left: columns.findIndex(Boolean), bottom: rows.findLastIndex(Boolean) + 1,
    right: columns.findLastIndex(Boolean) + 1,
  };
  return { mask, diameter: diameter ?? Math.max(box.bottom - box.top, box.right - box.left), box, note };
}

/**
 * The brightest channel, averaged down; red is what lights a fundus, so grey would lose dark rims.
 * @param {Uint8Array | Uint8ClampedArray} pixels
 * @param {number} height
 * @param {number} width
 * @returns {Grey}
 */
function brightness(pixels, height, width) {
  const brightest = new Uint8Array(height * width);
  for (let pixel = 0; pixel < brightest.length; pixel++) {
    brightest[pixel] = Math.max(pixels[4 * pixel], pixels[4 * pixel + 1], pixels[4 * pixel + 2]);
  }
  const step = Math.max(1, Math.max(height, width) / SEARCH_SIZE);
  const [down, across] = [height, width].map((side) => Math.max(1, roundHalfEven(side / step)));
  return { data: resample(brightest, [height, width, 1], [down, across], BOX), height: down, width: across };
}

/**
 * The circle that agrees best over the levels, what is lit there, and the box that a frame leaves free.
 * @param {Grey} small
 * @param {number[]} levels
 * @param {boolean} whole All that is lit takes part, else only its large pieces.
 * @returns {{circle: Circle, lit: Grey, box: Box} | null}
 */
function bestDisc(small, levels, whole) {
  let best = null;
  for (const level of levels) {
    const lit = litAbove(small, level);
    const box = insideFrame(lit);
    const part = { data: cut(lit, box), height: box.bottom - box.top, width: box.right - box.left };
    if (!whole) part.data = largePieces(part.data, part.height, part.width);
    const circle = fitCircle(edgePoints(part, box));
    if (circle && (!best || circle.agreement > best.circle.agreement)) best = { circle, lit: within(part, box, small), box };
    if (best && best.circle.agreement > 0.95) break;
  }
  return best;
}

/**
 * @param {Grey} small
 * @param {number} level
 * @returns {Grey}
 */
function litAbove(small, level) {
  const limit = Math.fround(level);
  return { ...small, data: small.data.map((grey) => Number(grey > limit)) };
}

/**
 * A part put back where it was, with nothing around it.
 * @param {Grey} part
 * @param {Box} box
 * @param {{height: number, width: number}} whole
 * @returns {Grey}
 */
function within(part, box, { height, width }) {
  const data = new Uint8Array(height * width);
  for (let row = 0; row < part.height; row++) {
    data.set(part.data.subarray(row * part.width, (row + 1) * part.width), (box.top + row) * width + box.left);
  }
  return { data, height, width };
}

/**
 * The first and last lit pixel's outer edge of every row and column, but none on the part's own edge.
 * @param {Grey} lit
 * @param {Box} box Where the part lies.
 * @returns {import("./circle.js").Points} Lefts of rows, rights, tops of columns, bottoms, as NumPy has them.
 */
function edgePoints(lit, box) {
  const rows = /** @type {number[]} */ ([]);
  const columns = /** @type {number[]} */ ([]);
  for (const down of [true, false]) {
    const length = down ? lit.width : lit.height;
    const lines = endsOf(lit, down);
    for (const which of /** @type {("first" | "last")[]} */ (["first", "last"])) {
      for (const ends of lines) {
        const end = ends[which];
        if (end === 0 || end === length) continue;
        rows.push((down ? ends.line + 0.5 : end) + box.top);
        columns.push((down ? end : ends.line + 0.5) + box.left);
      }
    }
  }
  return { rows, columns };
}

/**
 * Where each row, or column, of three lit pixels and more begins to be lit, and where it has ended.
 * @param {Grey} lit
 * @param {boolean} down Rows; else columns.
 * @returns {{line: number, first: number, last: number}[]}
 */
function endsOf({ data, height, width }, down) {
  const [lines, length, lineStep, step] = down ? [height, width, width, 1] : [width, height, 1, width];
  const found = [];
  for (let line = 0; line < lines; line++) {
    let first = -1, last = -1, count = 0;
    for (let place = 0; place < length; place++) {
      if (!data[line * lineStep + place * step]) continue;
      if (first < 0) first = place;
      last = place + 1;
      count++;
    }
    if (count >= 3) found.push({ line, first, last });
  }
  return found;
}

/**
 * The circle at full size, cut flat where the lit part ends before the circle does, and at a frame.
 * @param {{circle: Circle, lit: Grey, box: Box}} found
 * @param {number} height
 * @param {number} width
 * @returns {FieldOfView}
 */
function disc({ circle, lit, box }, height, width) {
  const down = height / lit.height;
  const across = width / lit.width;
  const row = circle.row * down;
  const column = circle.column * across;
  const radius = (circle.radius * (down + across)) / 2;
  const shares = sharesOf(lit);
  // A cut is flat over a chord of some length; a few pixels at the circle's poles are rounding, not a cut.
  const [top, bottom] = flat(shares.rows, row, down, [box.top, box.bottom], radius);
  const [left, right] = flat(shares.columns, column, across, [box.left, box.right], radius);
  const mask = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    if (y + 0.5 < top || y + 0.5 > bottom) continue;
    for (let x = 0; x < width; x++) {
      const inside = (y + 0.5 - row) ** 2 + (x + 0.5 - column) ** 2 <= radius ** 2;
      if (inside && x + 0.5 >= left && x + 0.5 <= right) mask[y * width + x] = 1;
    }
  }
  return ofMask(mask, height, width, 2 * radius);
}

/**
 * Where a disc is cut along one axis, from where to where.
 * @param {number[]} shares
 * @param {number} centre
 * @param {number} step
 * @param {[number, number]} frame
 * @param {number} radius
 * @returns {[number, number]}
 */
function flat(shares, centre, step, frame, radius) {
  const slack = 0.04 * radius;
  const first = shares.findIndex((share) => share > 0.1) * step;
  const last = (shares.findLastIndex((share) => share > 0.1) + 1) * step;
  return [
    first > centre - radius + slack ? first : frame[0] * step,
    last < centre + radius - slack ? last : frame[1] * step,
  ];
}

/**
 * All but the dark border and a bright frame around it, where these are no disc's.
 * @param {Grey} small
 * @param {number[]} levels
 * @param {number} height
 * @param {number} width
 * @returns {FieldOfView}
 */
function noDisc(small, levels, height, width) {
  const lit = litAbove(small, levels.length ? levels[0] : Math.min(BLACK, middleOf(small) / 3));
  const box = insideFrame(lit);
  const part = { data: cut(lit, box), height: box.bottom - box.top, width: box.right - box.left };
  part.data = notOutside(part.data, part.height, part.width);
  const inside = within(part, box, small).data;
  const note = !inside.includes(1) ? NOTHING : inside.includes(0) ? NO_DISC : NO_BORDER;
  const mask = nearest(inside, [small.height, small.width], [height, width]);
  return ofMask(mask, height, width, undefined, note);
}
