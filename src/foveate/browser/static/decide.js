/** From probabilities to masks, by the rule of `arrays/decide.py`. */

/** What 1 is in a map of 16 bits. */
export const ONE = 65535;

/**
 * @param {(Float32Array | Uint16Array)[]} maps H×W for each class: 0 to 1, or with 16 bits 0 to 65535.
 * @param {boolean} softmax Whether they are several classes that exclude each other.
 * @param {number[]} thresholds 0 to 1; one for each class, or one for all.
 * @returns {Uint8Array[]}
 */
export function decide(maps, softmax, thresholds) {
  const one = maps[0] instanceof Uint16Array ? ONE : 1;
  const limits = maps.map((_, number) => Math.fround(thresholds[number] ?? thresholds[0]) * one);
  if (softmax) return decideTogether(maps, limits[0], one);
  return maps.map((map, number) => {
    const mask = new Uint8Array(map.length);
    const limit = limits[number];
    for (let pixel = 0; pixel < mask.length; pixel++) mask[pixel] = map[pixel] >= limit ? 1 : 0;
    return mask;
  });
}

/**
 * The most probable class has a pixel where all together reach the threshold.
 * @param {(Float32Array | Uint16Array)[]} maps
 * @param {number} limit
 * @param {number} one
 */
function decideTogether(maps, limit, one) {
  const masks = maps.map((map) => new Uint8Array(map.length));
  for (let pixel = 0; pixel < maps[0].length; pixel++) {
    let sum = 0, likeliest = 0;
    maps.forEach((map, number) => {
      sum += map[pixel];
      if (map[pixel] > maps[likeliest][pixel]) likeliest = number;
    });
    if (Math.min(sum, one) >= limit) masks[likeliest][pixel] = 1;
  }
  return masks;
}

/**
 * @param {Float32Array} map 0 to 1.
 * @returns {Uint16Array} × 65535, rounded.
 */
export function quantised(map) {
  const result = new Uint16Array(map.length);
  for (let pixel = 0; pixel < map.length; pixel++) result[pixel] = Math.round(Math.min(1, Math.max(0, map[pixel])) * ONE);
  return result;
}
