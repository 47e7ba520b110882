/** One image of the page: what became of it, and what a person changed. */

import { withoutSmall } from "./components.js";
import { decide } from "./decide.js";

/** @typedef {import("./result.js").Result} Result */

/** @typedef {{top: number, left: number, bottom: number, right: number}} Box Bottom and right are one past the end. */

/** @typedef {{target: "mask" | "reference", number: number}} Target What a brush paints on: of which class. */

/** What a person made of a pixel. */
const ADDED = 1;
const ERASED = 2;

export class Work {
  /**
   * @param {Blob} file
   * @param {string} name
   */
  constructor(file, name) {
    this.file = file;
    this.name = name;
    /** @type {"waiting" | "working" | "done" | "failed"} */
    this.status = "waiting";
    this.error = "";
    /** @type {Result | null} */
    this.result = null;
    /** @type {number[]} */
    this.thresholds = [];
    /** @type {Uint8Array[]} H×W for each class, with threshold and corrections. */
    this.masks = [];
    /** @type {(number | null)[]} Each mask's share of the field of view; null where there is none. */
    this.areas = [];
    /** How many pixels a person made others than the threshold does. */
    this.corrected = 0;
    /** @type {(Uint8Array | null)[]} H×W for each class: what a person added or erased. */
    this.edits = [];
    /** @type {(Uint8Array | null)[]} H×W for each class. */
    this.references = [];
    /** @type {(Target & {before: Map<number, number>})[]} */
    this.strokes = [];
  }

  /** @param {Result} result */
  finish(result) {
    this.status = "done";
    this.result = result;
    this.thresholds = [...result.thresholds];
    this.edits = result.classes.map(() => null);
    this.references = result.classes.map(() => null);
    this.decide();
  }

  /** Whether the thresholds are the model's own. */
  get untouched() {
    return this.thresholds.every((threshold, number) => threshold === this.result?.thresholds[number]);
  }

  /** @returns {Uint8Array[]} The masks by the thresholds, without parts that the model counts as too small. */
  decided() {
    const { masks, probabilities, softmax, height, width, minSize } = /** @type {Result} */ (this.result);
    if (this.untouched) return masks.map((mask) => mask.slice());
    const decided = decide(probabilities, softmax, this.thresholds);
    return decided.map((mask) => withoutSmall(mask, height, width, minSize));
  }

  /** Bring the masks, and what is counted of them, up to date. */
  decide() {
    this.masks = this.decided();
    this.corrected = 0;
    this.masks.forEach((mask, number) => {
      this.edits[number]?.forEach((edit, pixel) => {
        const value = edit === ADDED ? 1 : 0;
        if (!edit || mask[pixel] === value) return;
        mask[pixel] = value;
        this.corrected += 1;
      });
    });
    const { fov } = /** @type {Result} */ (this.result);
    const inside = count(fov);
    this.areas = this.masks.map((mask) => (inside ? count(mask) / inside : null));
  }

  /** @param {Target} target */
  begin({ target, number }) {
    this.strokes.push({ target, number, before: new Map() });
  }

  /**
   * A round dab of the stroke that was begun.
   * @param {number} row
   * @param {number} column
   * @param {number} diameter Pixels; 1 is one pixel.
   * @param {boolean} add
   * @returns {Box} What may have changed.
   */
  dab(row, column, diameter, add) {
    const { target, number, before } = this.strokes[this.strokes.length - 1];
    const { width, height } = /** @type {Result} */ (this.result);
    const [mask, changed] = this.painted(target, number);
    const radius = diameter / 2;
    const box = {
      top: Math.max(0, Math.floor(row - radius)), left: Math.max(0, Math.floor(column - radius)),
      bottom: Math.min(height, Math.ceil(row + radius) + 1), right: Math.min(width, Math.ceil(column + radius) + 1),
    };
    for (let y = box.top; y < box.bottom; y++) {
      for (let x = box.left; x < box.right; x++) {
        if ((y - row) ** 2 + (x - column) ** 2 > radius ** 2) continue;
        const pixel = y * width + x;
        if (!before.has(pixel)) before.set(pixel, changed[pixel]);
        changed[pixel] = target === "mask" && !add ? ERASED : Number(add);
        mask[pixel] = Number(add);
      }
    }
    return box;
  }

  /**
   * @param {"mask" | "reference"} target
   * @param {number} number
   * @returns {[Uint8Array, Uint8Array]} What is seen of it, and what keeps the person's part.
   */
  painted(target, number) {
    const kept = target === "mask" ? this.edits : this.references;
    const part = (kept[number] ??= new Uint8Array(this.masks[number].length));
    return target === "mask" ? [this.masks[number], part] : [part, part];
  }

  /** Take the last stroke back. */
  undo() {
    const stroke = this.strokes.pop();
    if (!stroke) return;
    const [, changed] = this.painted(stroke.target, stroke.number);
    for (const [pixel, value] of stroke.before) changed[pixel] = value;
    this.decide();
  }

  /**
   * @param {number} number
   * @returns {number | null} Dice coefficient with the reference, inside the field of view; null where there is none.
   */
  dice(number) {
    const reference = this.references[number];
    const { fov } = /** @type {Result} */ (this.result);
    if (!reference) return null;
    let both = 0, sum = 0;
    this.masks[number].forEach((masked, pixel) => {
      if (!fov[pixel]) return;
      both += masked & reference[pixel];
      sum += masked + reference[pixel];
    });
    return sum ? (2 * both) / sum : null;
  }
}

/** @param {Uint8Array} mask */
function count(mask) {
  return mask.reduce((sum, value) => sum + value, 0);
}
