/**
 * The engine without a server: the network runs in the page, by ONNX Runtime Web, in one thread.
 */

import { withoutSmall } from "./components.js";
import { decide, quantised } from "./decide.js";
import { hexadecimal } from "./bytes.js";
import { expectedF1 } from "./confidence.js";
import { fieldOfView } from "./fov.js";
import { pixelsOf } from "./picture.js";
import { photographPixels, prepare, restore, workingSize } from "./prepare.js";

/** @typedef {import("./result.js").Engine} Engine */
/** @typedef {import("./result.js").Result} Result */

/**
 * ONNX Runtime Web, as its script hands it over.
 * @typedef {object} Runtime
 * @property {{wasm: object, logLevel: string}} env
 * @property {{create: (model: Uint8Array) => Promise<Session>}} InferenceSession
 * @property {new (type: string, data: Float32Array, dims: number[]) => object} Tensor
 */

/**
 * @typedef {object} Session
 * @property {string[]} inputNames
 * @property {string[]} outputNames
 * @property {(feeds: object) => Promise<Record<string, {data: Float32Array, dims: number[]}>>} run
 */

/**
 * @param {Runtime} runtime
 * @param {{card: any, model: Uint8Array, wasm: Uint8Array, glue: string}} parts The card, the model's file, the
 *   runtime's WebAssembly, and the address of the module that loads it.
 * @returns {Promise<Engine>}
 */
export async function browserEngine(runtime, { card, model, wasm, glue }) {
  Object.assign(runtime.env.wasm, { numThreads: 1, wasmBinary: wasm, wasmPaths: { mjs: glue } });
  runtime.env.logLevel = "error";
  const session = await runtime.InferenceSession.create(model);
  return {
    models: async () => [card],
    segment: (bytes, name) => segment(runtime, session, card, bytes, name),
  };
}

/**
 * @param {Runtime} runtime
 * @param {Session} session
 * @param {any} card
 * @param {Uint8Array} bytes
 * @param {string} name
 * @returns {Promise<Result>}
 */
async function segment(runtime, session, card, bytes, name) {
  const { pixels, width, height } = await pixelsOf(bytes, name);
  const started = performance.now();
  const fov = fieldOfView(pixels, height, width, card.preparation.fov);
  const maps = await predict(runtime, session, card, pixels, width, fov);
  const softmax = card.exclusive && card.classes.length > 1;
  const minSize = photographPixels(card.min_size, fov.diameter, card.preparation);
  const masks = decide(maps, softmax, card.thresholds).map((mask) => withoutSmall(mask, height, width, minSize));
  const trust = card.trust ?? null;
  return {
    name, width, height, fov: fov.mask, masks, softmax,
    probabilities: maps.map(quantised),
    classes: card.classes,
    thresholds: card.thresholds,
    minSize,
    expectedF1: maps.map((map, number) => expectedF1(map, masks[number], fov.mask, trust)),
    notes: fov.note ? [fov.note] : [],
    model: card.name,
    modelSha256: card.sha256,
    imageSha256: await digest(bytes),
    seconds: (performance.now() - started) / 1000,
    files: {},
  };
}

/**
 * @param {Runtime} runtime
 * @param {Session} session
 * @param {any} card
 * @param {Uint8ClampedArray} pixels
 * @param {number} width
 * @param {import("./fov.js").FieldOfView} fov
 * @returns {Promise<Float32Array[]>} A map of the photograph's size for each class.
 */
async function predict(runtime, session, card, pixels, width, fov) {
  if (!fov.diameter) return card.classes.map(() => new Float32Array(fov.mask.length));
  const working = workingSize(fov, card.preparation);
  const { data, dims } = prepare(pixels, width, fov, working);
  const feeds = { [session.inputNames[0]]: new runtime.Tensor("float32", data, dims) };
  const output = (await session.run(feeds))[session.outputNames[0]];
  const size = dims[2] * dims[3];
  return card.classes.map((/** @type {string} */ _, /** @type {number} */ number) =>
    restore(output.data.subarray(number * size, (number + 1) * size), dims[3], working, fov, width),
  );
}

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<string>} Its SHA-256; empty where the browser has none for a page like this.
 */
async function digest(bytes) {
  return crypto.subtle ? hexadecimal(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))) : "";
}
