/**
 * Pillow's resampling, to the bit: separable filters with an antialiasing support, 8-bit pictures in fixed point.
 *
 * After `src/libImaging/Resample.c` of Pillow: across first, then down, and rounded to 8 bits in between.
 */

/** @typedef {{support: number, weight: (distance: number) => number}} Filter */

/** @type {Filter} */
export const BOX = { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

/** @type {Filter} */
export const BILINEAR = { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };

/** @type {Filter} */
export const BICUBIC = { support: 2, weight: (x) => cubic(Math.abs(x)) };

/** Bits behind the point of 8-bit pictures' weights. */
const PRECISION = 22;

/**
 * Keys' cubic with a = -0.5.
 * @param {number} x Not negative.
 */
function cubic(x) {
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/**
 * What each pixel of a resampled line is made of.
 * @param {number} from Pixels of the line.
 * @param {number} to Pixels of the resampled one.
 * @param {Filter} filter
 * @returns {{first: number, weights: number[]}[]}
 */
function weightsOf(from, to, filter) {
  const scale = from / to;
  const widened = Math.max(scale, 1);
  const support = filter.support * widened;
  return Array.from({ length: to }, (_, pixel) => {
    const centre = (pixel + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    const inverse = 1 / widened;
    const weights = [];
    let sum = 0;
    for (let each = first; each < end; each++) {
      const weight = filter.weight((each - centre + 0.5) * inverse);
      weights.push(weight);
      sum += weight;
    }
    return { first, weights: sum === 0 ? weights : weights.map((weight) => weight / sum) };
  });
}

/** @param {number} weight */
function fixed(weight) {
  return Math.trunc(weight * 2 ** PRECISION + (weight < 0 ? -0.5 : 0.5));
}

/**
 * @template {Uint8Array | Float32Array} Samples
 * @param {Samples} samples H×W×C.
 * @param {[number, number, number]} shape Height, width, channels.
 * @param {[number, number]} size Height and width wanted.
 * @param {Filter} filter
 * @returns {Samples}
 */
export function resample(samples, [height, width, channels], [newHeight, newWidth], filter) {
  let result = samples;
  if (newWidth !== width) {
    const layout = { lines: height, lineStep: width * channels, step: channels, parts: channels };
    result = along(result, weightsOf(width, newWidth, filter), layout, newWidth * channels);
  }
  if (newHeight !== height) {
    const layout = { lines: 1, lineStep: 0, step: newWidth * channels, parts: newWidth * channels };
    result = along(result, weightsOf(height, newHeight, filter), layout, 0);
  }
  return result;
}

/**
 * Resample along one axis. A line's pixel p has its part k at `line * lineStep + p * step + k`.
 * @template {Uint8Array | Float32Array} Samples
 * @param {Samples} samples
 * @param {{first: number, weights: number[]}[]} pixels
 * @param {{lines: number, lineStep: number, step: number, parts: number}} layout
 * @param {number} newLineStep
 * @returns {Samples}
 */
function along(samples, pixels, { lines, lineStep, step, parts }, newLineStep) {
  const bytes = samples instanceof Uint8Array;
  const length = lines * pixels.length * step;
  const result = bytes ? new Uint8ClampedArray(length) : new Float32Array(length);
  const half = bytes ? 2 ** (PRECISION - 1) : 0;
  const sums = new Float64Array(parts);
  pixels.forEach(({ first, weights }, pixel) => {
    const used = bytes ? weights.map(fixed) : weights;
    for (let line = 0; line < lines; line++) {
      sums.fill(half);
      for (let each = 0; each < used.length; each++) {
        const start = line * lineStep + (first + each) * step;
        const weight = used[each];
        for (let part = 0; part < parts; part++) sums[part] += samples[start + part] * weight;
      }
      const start = line * newLineStep + pixel * step;
      for (let part = 0; part < parts; part++) result[start + part] = bytes ? sums[part] >> PRECISION : sums[part];
    }
  });
  return /** @type {Samples} */ (bytes ? new Uint8Array(result.buffer) : result);
}

/**
 * Nearest neighbours, with the running sums of `src/libImaging/Geometry.c`.
 * @param {Uint8Array} samples H×W.
 * @param {[number, number]} shape Height and width.
 * @param {[number, number]} size Height and width wanted.
 * @returns {Uint8Array}
 */
export function nearest(samples, [height, width], [newHeight, newWidth]) {
  const rows = places(height, newHeight);
  const columns = places(width, newWidth);
  const result = new Uint8Array(newHeight * newWidth);
  for (let row = 0; row < newHeight; row++) {
    for (let column = 0; column < newWidth; column++) {
      result[row * newWidth + column] = samples[rows[row] * width + columns[column]];
    }
  }
  return result;
}

/**
 * @param {number} from
 * @param {number} to
 * @returns {number[]}
 */
function places(from, to) {
  const step = from / to;
  let at = step * 0.5;
  return Array.from({ length: to }, () => {
    const place = Math.min(from - 1, Math.trunc(at));
    at += step;
    return place;
  });
}
