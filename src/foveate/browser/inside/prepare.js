/**
 * From a photograph to what the network sees, and back to the photograph's own grid, by the rules of
 * `arrays/prepare.py`.
 */

import { roundHalfEven } from "./border.js";
import { BICUBIC, BILINEAR, resample } from "./resample.js";

/** @typedef {import("./fov.js").FieldOfView} FieldOfView */

/**
 * @typedef {object} Preparation The part of a model's card that says how images are brought to it.
 * @property {"find" | "whole"} fov
 * @property {number} working_minimum Pixels: a smaller FOV diameter is enlarged to this.
 * @property {number} working_maximum Pixels: a larger one is reduced to this.
 */

/** Prepared images are padded to multiples of this. */
const STRIDE = 8;

/** A change of scale smaller than this is left out. */
const SAME_SIZE = 0.02;

/**
 * @param {FieldOfView} fov Not empty.
 * @param {Preparation} preparation
 * @returns {[number, number]} Height and width at which the network sees the FOV's box.
 */
export function workingSize({ box, diameter }, preparation) {
  const scale = scaleOf(diameter, preparation);
  return [
    Math.max(1, roundHalfEven((box.bottom - box.top) * scale)),
    Math.max(1, roundHalfEven((box.right - box.left) * scale)),
  ];
}

/**
 * @param {number} working
 * @param {number} diameter Of the FOV.
 * @param {Preparation} preparation
 * @returns {number} The least number of pixels of the photograph with the area of `working` pixels of the working size.
 */
export function photographPixels(working, diameter, preparation) {
  const scale = scaleOf(diameter, preparation);
  return diameter ? Math.ceil(working / (scale * scale)) : working;
}

/**
 * @param {number} diameter
 * @param {Preparation} preparation
 * @returns {number} The factor from the photograph to the working size.
 */
function scaleOf(diameter, { working_minimum: minimum, working_maximum: maximum }) {
  const factor = Math.min(Math.max(diameter, minimum), maximum) / diameter;
  return Math.abs(factor - 1) < SAME_SIZE ? 1 : factor;
}

/**
 * Crop to the FOV, black out what lies outside it, scale, pad.
 * @param {Uint8Array | Uint8ClampedArray} pixels H×W×4.
 * @param {number} width
 * @param {FieldOfView} fov
 * @param {[number, number]} working
 * @returns {{data: Float32Array, dims: [number, number, number, number]}} 1×3×H×W, 0 to 255.
 */
export function prepare(pixels, width, fov, working) {
  const { top, left, bottom, right } = fov.box;
  const [height, across] = [bottom - top, right - left];
  const crop = new Uint8Array(height * across * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < across; column++) {
      const from = (row + top) * width + column + left;
      if (!fov.mask[from]) continue;
      crop.set(pixels.subarray(4 * from, 4 * from + 3), 3 * (row * across + column));
    }
  }
  const scaled = resample(crop, [height, across, 3], working, BICUBIC);
  return planes(scaled, working);
}

/**
 * @param {Uint8Array} scaled H×W×3.
 * @param {[number, number]} working
 * @returns {{data: Float32Array, dims: [number, number, number, number]}}
 */
function planes(scaled, [height, width]) {
  const [down, across] = [height, width].map((side) => Math.ceil(side / STRIDE) * STRIDE);
  const data = new Float32Array(3 * down * across);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < 3; channel++) {
        data[(channel * down + row) * across + column] = scaled[3 * (row * width + column) + channel];
      }
    }
  }
  return { data, dims: [1, 3, down, across] };
}

/**
 * One map of the network on the photograph's grid, 0 outside the FOV.
 * @param {Float32Array} map Down × across, with padding.
 * @param {number} across
 * @param {[number, number]} working
 * @param {FieldOfView} fov
 * @param {number} width Of the photograph.
 * @returns {Float32Array} H×W.
 */
export function restore(map, across, working, fov, width) {
  const { top, left, bottom, right } = fov.box;
  const [height, own] = [bottom - top, right - left];
  const free = new Float32Array(working[0] * working[1]);
  for (let row = 0; row < working[0]; row++) {
    free.set(map.subarray(row * across, row * across + working[1]), row * working[1]);
  }
  const patch = resample(free, [working[0], working[1], 1], [height, own], BILINEAR);
  const full = new Float32Array(fov.mask.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < own; column++) {
      const to = (row + top) * width + column + left;
      if (fov.mask[to]) full[to] = patch[row * own + column];
    }
  }
  return full;
}
