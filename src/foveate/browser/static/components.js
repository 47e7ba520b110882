/**
 * Connected components of a mask, as `arrays/components.py` has them: numbered by their first pixels, row by row.
 */

/**
 * @param {Uint8Array} mask H×W, 0 or not.
 * @param {number} height
 * @param {number} width
 * @param {4 | 8} connectivity Neighbours of a pixel: those it shares an edge with, or also those with a corner.
 * @returns {{labels: Int32Array, sizes: number[]}} H×W, 0 is background; pixels of each component, entry 0 is 0.
 */
export function label(mask, height, width, connectivity = 8) {
  const labels = new Int32Array(mask.length);
  const sizes = [0];
  const waiting = [];
  for (let first = 0; first < mask.length; first++) {
    if (!mask[first] || labels[first]) continue;
    const number = sizes.push(0) - 1;
    labels[first] = number;
    waiting.push(first);
    while (waiting.length) {
      const pixel = waiting.pop();
      sizes[number]++;
      for (const other of neighbours(pixel, height, width, connectivity)) {
        if (mask[other] && !labels[other]) {
          labels[other] = number;
          waiting.push(other);
        }
      }
    }
  }
  return { labels, sizes };
}

/**
 * @param {number} pixel
 * @param {number} height
 * @param {number} width
 * @param {4 | 8} connectivity
 * @returns {number[]} The pixels beside one, within the picture.
 */
function neighbours(pixel, height, width, connectivity) {
  const row = Math.floor(pixel / width);
  const column = pixel - row * width;
  const found = [];
  for (let down = -1; down <= 1; down++) {
    for (let across = -1; across <= 1; across++) {
      const steps = Math.abs(down) + Math.abs(across);
      const inside = row + down >= 0 && row + down < height && column + across >= 0 && column + across < width;
      if (inside && (steps === 1 || (steps === 2 && connectivity === 8))) found.push(pixel + down * width + across);
    }
  }
  return found;
}

/**
 * @param {Uint8Array} mask H×W.
 * @param {number} height
 * @param {number} width
 * @returns {Uint8Array} The components that have at least half the largest one's area.
 */
export function largePieces(mask, height, width) {
  const { labels, sizes } = label(mask, height, width);
  const least = Math.max(1, largest(sizes) / 2);
  return labels.length ? Uint8Array.from(labels, (number) => Number(number > 0 && sizes[number] >= least)) : mask;
}

/**
 * @param {Uint8Array} mask H×W.
 * @param {number} height
 * @param {number} width
 * @param {number} smallest
 * @returns {Uint8Array} The components of at least `smallest` pixels.
 */
export function withoutSmall(mask, height, width, smallest) {
  if (smallest < 2) return mask;
  const { labels, sizes } = label(mask, height, width);
  const kept = new Uint8Array(mask.length);
  // A loop, as it runs while a slider moves: `from` takes six times as long.
  for (let pixel = 0; pixel < kept.length; pixel++) kept[pixel] = sizes[labels[pixel]] >= smallest ? 1 : 0;
  return kept;
}

/**
 * A mask of lit pixels with the small dark pieces within it, such as vessels and spots, but not the border.
 *
 * A dark piece is border where it takes up a thousandth of the picture and reaches its edge, or a fiftieth wherever it
 * lies. Lit specks, below a hundredth of the largest lit piece, are print on the border.
 *
 * @param {Uint8Array} lit H×W.
 * @param {number} height
 * @param {number} width
 * @returns {Uint8Array}
 */
export function notOutside(lit, height, width) {
  const dark = label(lit.map((value) => Number(!value)), height, width, 4);
  const atEdge = new Set();
  dark.labels.forEach((number, pixel) => {
    const column = pixel % width;
    if (pixel < width || pixel >= lit.length - width || column === 0 || column === width - 1) atEdge.add(number);
  });
  const isBorder = dark.sizes.map(
    (size, number) =>
      number > 0 && ((atEdge.has(number) && size >= lit.length / 1000) || size >= lit.length / 50),
  );
  const rest = label(Uint8Array.from(dark.labels, (number) => Number(!isBorder[number])), height, width);
  const least = Math.max(1, largest(rest.sizes) / 100);
  return Uint8Array.from(rest.labels, (number) => Number(number > 0 && rest.sizes[number] >= least));
}

/** @param {number[]} sizes */
function largest(sizes) {
  return sizes.reduce((most, size) => Math.max(most, size), 0);
}
