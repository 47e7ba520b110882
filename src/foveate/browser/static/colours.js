/** Colours, as `imaging/palette.py` and `pictures/colours.py` have them. */

/** @typedef {[number, number, number]} Colour */

/** @type {Colour} */
const FOREGROUND = [86, 180, 233];

/** @type {Colour} Of the field of view's edge. */
export const EDGE = [240, 228, 66];

/** @type {Colour[]} Of several classes; the palette by Okabe and Ito (2008). */
const SEVERAL = [[230, 159, 0], FOREGROUND, [0, 158, 115], [0, 114, 178], [213, 94, 0], [204, 121, 167], EDGE];

/** @type {Record<"truePositive" | "falseNegative" | "falsePositive" | "notCounted", Colour>} */
export const OUTCOMES = {
  truePositive: [86, 180, 233], falseNegative: [240, 228, 66], falsePositive: [213, 94, 0], notCounted: [52, 52, 58],
};

/** How much of a photograph's brightness is left under coloured outcomes. */
export const DIMMED = 0.45;

/** From low to high: blue over green to yellow, ever brighter. */
const HEAT = [[70, 110, 255], [30, 160, 200], [40, 200, 130], [160, 220, 60], [253, 231, 37]];

/**
 * @param {number} number
 * @param {number} count Of classes.
 * @returns {Colour}
 */
export function classColour(number, count) {
  return count === 1 ? FOREGROUND : SEVERAL[number % SEVERAL.length];
}

/** The colour of each of 256 probabilities; the lowest fade away. */
export const HEAT_RAMP = Array.from({ length: 256 }, (_, level) => {
  const place = (level / 255) * (HEAT.length - 1);
  const below = Math.min(Math.floor(place), HEAT.length - 2);
  const mixed = HEAT[below].map((low, part) => Math.round(low + (HEAT[below + 1][part] - low) * (place - below)));
  return [...mixed, Math.min(255, 4 * level)];
});
