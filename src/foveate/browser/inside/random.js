/**
 * NumPy's `default_rng(0).integers(0, below)`, number by number, so that a search by chance finds here what it finds there.
 *
 * PCG64 (O'Neill, 2014) from the state that seed 0 has, and Lemire's bounded integers (2019) from its 32-bit halves.
 */

const STATE = 0x1aa1b5345996452d09585eb7a69561e3n;
const INCREMENT = 0x418ddadb3af71a82588133bc447873a9n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const [BITS_128, BITS_64] = [(1n << 128n) - 1n, (1n << 64n) - 1n];

/** @returns {() => number} The next 32 bits, those of a 64-bit number from low to high. */
function halves() {
  let state = STATE;
  /** @type {number | null} */
  let high = null;
  return () => {
    if (high !== null) {
      const kept = high;
      high = null;
      return kept;
    }
    state = (state * MULTIPLIER + INCREMENT) & BITS_128;
    const folded = (state >> 64n) ^ (state & BITS_64);
    const turn = state >> 122n;
    const number = ((folded >> turn) | (folded << (64n - turn))) & BITS_64;
    high = Number(number >> 32n);
    return Number(number & 0xffffffffn);
  };
}

/**
 * @param {number} below From 2 to 2²¹.
 * @returns {() => number} Whole numbers from 0 to one below that.
 */
export function randomIntegers(below) {
  const next = halves();
  const unfair = (2 ** 32 - below) % below;
  return () => {
    for (;;) {
      const product = next() * below;
      if (product % 2 ** 32 >= unfair) return Math.floor(product / 2 ** 32);
    }
  };
}
