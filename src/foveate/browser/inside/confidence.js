/** How good a mask probably is, from its probabilities alone, as `metrics/confidence.py`. */

/** Deviations to each side that hold 95 % of a normal distribution. */
const DEVIATIONS = 1.959963984540054;

/** @typedef {{value: number, low: number | null, high: number | null}} ExpectedF1 */

/**
 * @param {Float32Array} probability H×W, 0 to 1.
 * @param {Uint8Array} mask H×W.
 * @param {Uint8Array} fov H×W: where pixels count.
 * @param {{shift: number, margin: number} | null} trust What the model's validation images taught, from its card.
 * @returns {ExpectedF1 | null} Null where there is nothing at all.
 */
export function expectedF1(probability, mask, fov, trust) {
  let overlap = 0, total = 0, inside = 0, outside = 0;
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (!fov[pixel]) continue;
    const p = probability[pixel];
    total += p + mask[pixel];
    if (mask[pixel]) {
      overlap += p;
      inside += p * (1 - p);
    } else {
      outside += p * (1 - p);
    }
  }
  if (!total) return null;
  const value = (2 * overlap) / total;
  if (!trust) return { value, low: null, high: null };
  const ratio = value / 2;
  const deviation = (2 * Math.sqrt((1 - ratio) ** 2 * inside + ratio ** 2 * outside)) / total;
  const centre = value + trust.shift;
  const half = DEVIATIONS * deviation + trust.margin;
  return {
    value: Math.min(1, Math.max(0, centre)), low: Math.max(0, centre - half), high: Math.min(1, centre + half),
  };
}
