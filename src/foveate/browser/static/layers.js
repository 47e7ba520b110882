/** The layers over a photograph, each a canvas of the photograph's size. */

import { classColour, DIMMED, EDGE, HEAT_RAMP, OUTCOMES } from "./colours.js";
import { around, rim, thickness } from "./outline.js";
import { hasField } from "./result.js";

/** @typedef {import("./work.js").Work} Work */
/** @typedef {import("./work.js").Box} Box */
/** @typedef {{name: string, text: string, on: boolean, opacity: number}} Switch */
/** @typedef {(pixel: number, row: number, column: number) => ArrayLike<number> | null} Paint RGB or RGBA; null: clear. */

/**
 * @param {import("./result.js").Result} result
 * @returns {Switch[]} From the lowest layer to the highest.
 */
export function switchesFor(result) {
  const masks = result.classes.map((name) => ({ name: `mask ${name}`, text: `Mask: ${name}`, on: false, opacity: 0.6 }));
  return [
    { name: "photograph", text: "Photograph", on: true, opacity: 1 },
    { name: "probability", text: "Probability as heat", on: false, opacity: 0.8 },
    ...masks,
    { name: "outline", text: "Outline", on: true, opacity: 0.8 },
    ...(hasField(result) ? [{ name: "fov", text: "Field of view", on: true, opacity: 1 }] : []),
    { name: "comparison", text: "Comparison", on: false, opacity: 1 },
  ];
}

export class Layers {
  /**
   * @param {Work} work One that is done.
   * @param {ImageBitmap | null} bitmap The photograph, where the browser can show it.
   */
  constructor(work, bitmap) {
    this.work = work;
    this.result = /** @type {import("./result.js").Result} */ (work.result);
    this.bitmap = bitmap;
    /** @type {Map<string, OffscreenCanvas>} */
    this.drawn = new Map();
    /** @type {Set<string>} Those of them that are to be drawn anew before they are shown. */
    this.stale = new Set();
  }

  /** @returns {Box} */
  get whole() {
    return { top: 0, left: 0, bottom: this.result.height, right: this.result.width };
  }

  /** The masks or a reference have changed, everywhere or in a box. @param {Box} [box] */
  changed(box) {
    const margin = thickness(this.result.width, this.result.height).line + 1;
    const { bottom, right } = this.whole;
    for (const name of this.drawn.keys()) {
      if (name === "probability" || name === "fov") continue;
      if (!box) this.stale.add(name);
      else {
        this.draw(name, {
          top: Math.max(0, box.top - margin), left: Math.max(0, box.left - margin),
          bottom: Math.min(bottom, box.bottom + margin), right: Math.min(right, box.right + margin),
        });
      }
    }
  }

  /**
   * @param {Switch[]} switches
   * @returns {{picture: CanvasImageSource, opacity: number, shade: number}[]} What is to be drawn, one over the other;
   *   under a `shade` everything is darker by that share.
   */
  shown(switches) {
    const visible = switches.filter(({ name, on }) => on && (name !== "photograph" || this.bitmap));
    return visible.filter(({ name }) => name !== "comparison" || this.work.references.some(Boolean)).map(({ name, opacity }) => ({
      picture: name === "photograph" ? /** @type {ImageBitmap} */ (this.bitmap) : this.canvas(name),
      opacity,
      shade: name === "comparison" ? (1 - DIMMED) * opacity : 0,
    }));
  }

  /** @param {string} name */
  canvas(name) {
    const there = this.drawn.get(name);
    const canvas = there ?? new OffscreenCanvas(this.result.width, this.result.height);
    this.drawn.set(name, canvas);
    if (!there || this.stale.delete(name)) this.draw(name, this.whole);
    return canvas;
  }

  /**
   * @param {string} name
   * @param {Box} box
   */
  draw(name, box) {
    const width = box.right - box.left;
    const picture = new ImageData(width, box.bottom - box.top);
    const paint = this.paintOf(name, box);
    for (let row = box.top; row < box.bottom; row++) {
      for (let column = box.left; column < box.right; column++) {
        const colour = paint(row * this.result.width + column, row, column);
        if (!colour) continue;
        const at = 4 * ((row - box.top) * width + column - box.left);
        picture.data.set(colour, at);
        if (colour.length === 3) picture.data[at + 3] = 255;
      }
    }
    this.drawn.get(name)?.getContext("2d")?.putImageData(picture, box.left, box.top);
  }

  /**
   * @param {string} name
   * @param {Box} box
   * @returns {Paint}
   */
  paintOf(name, box) {
    const { classes, fov, probabilities, width, height } = this.result;
    const { masks } = this.work;
    const lines = thickness(width, height);
    if (name === "probability") {
      const highest = (/** @type {number} */ pixel) => probabilities.reduce((most, map) => Math.max(most, map[pixel]), 0);
      return (pixel) => HEAT_RAMP[highest(pixel) >> 8];
    }
    if (name === "fov") {
      const edge = hasField(this.result) ? rim(fov, width, box, lines.field) : () => false;
      return (_, row, column) => (edge(row, column) ? EDGE : null);
    }
    if (name === "comparison") return this.comparison();
    if (name === "outline") {
      // A smaller class lies over a larger one.
      const order = masks.map((mask, number) => ({ number, size: masks.length > 1 ? mask.filter(Boolean).length : 0 }));
      const lined = order.sort((one, other) => one.size - other.size).map(({ number }) => ({
        colour: classColour(number, classes.length), line: around(masks[number], width, box, lines.line),
      }));
      return (_, row, column) => lined.find(({ line }) => line(row, column))?.colour ?? null;
    }
    const number = classes.findIndex((each) => name === `mask ${each}`);
    return (pixel) => (masks[number][pixel] ? classColour(number, classes.length) : null);
  }

  /** @returns {Paint} The analytic mask of the first class that has a reference, as `pictures/analytic.py`. */
  comparison() {
    const number = this.work.references.findIndex(Boolean);
    const reference = this.work.references[number];
    const mask = this.work.masks[number];
    return (pixel) => {
      if (!reference) return null;
      if (!this.result.fov[pixel]) return OUTCOMES.notCounted;
      if (mask[pixel]) return reference[pixel] ? OUTCOMES.truePositive : OUTCOMES.falsePositive;
      return reference[pixel] ? OUTCOMES.falseNegative : null;
    };
  }
}
