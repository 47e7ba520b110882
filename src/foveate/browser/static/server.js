/** The engine with a server: `foveate serve`, which the page comes from. */

import { fromBase64 } from "./bytes.js";
import { bitmapOf } from "./picture.js";
import { readPng } from "./png.js";
import { Refused } from "./result.js";

/** How often a server that is busy is asked again. */
const TURNS = 60;

/**
 * @param {() => Promise<string>} askKey Asks the person for the server's key. It is kept in memory alone.
 * @returns {import("./result.js").Engine}
 */
export function serverEngine(askKey) {
  const call = caller(askKey);
  return {
    models: async () => (await call("/v1/models", {})).json(),
    segment: async (bytes, name, model) => {
      const shown = await bitmapOf(bytes, name).then((bitmap) => bitmap.close() ?? true, () => false);
      const include = shown ? "mask,probability,fov" : "mask,probability,fov,photograph";
      const query = new URLSearchParams({ model, outputs: "json", include });
      const headers = { "Content-Type": "application/octet-stream", "X-File-Name": encodeURIComponent(name) };
      const answer = await call(`/v1/segment?${query}`, { method: "POST", body: bytes, headers });
      return resultOf(await answer.json(), name);
    },
  };
}

/**
 * @param {() => Promise<string>} askKey
 * @returns {(address: string, request: RequestInit) => Promise<Response>} Rejects with a Refused.
 */
function caller(askKey) {
  let key = "";
  return async (address, request) => {
    for (let turn = 0; turn < TURNS; turn++) {
      const headers = { ...request.headers, ...(key && { Authorization: `Bearer ${key}` }) };
      const answer = await fetch(address, { ...request, headers }).catch(() => {
        throw new Refused("the server doesn't answer.", "Is `foveate serve` still running?");
      });
      if (answer.ok) return answer;
      if (answer.status === 401) {
        key = await askKey();
      } else if (answer.status === 503 && answer.headers.has("Retry-After")) {
        await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get("Retry-After"))));
      } else {
        throw await refusal(answer);
      }
    }
    throw new Refused("the server is busy, or refuses the key.", "Try again later.");
  };
}

/**
 * @param {Response} answer
 * @returns {Promise<Refused>}
 */
async function refusal(answer) {
  const { code, message, hint } = await answer.json().catch(() => ({}));
  // What is wrong with an image says itself what to do.
  const ofImage = ["not_an_image", "not_segmented"].includes(code);
  return new Refused(message ?? `the server answers ${answer.status}.`, ofImage ? "" : hint);
}

/**
 * @param {any} answer
 * @param {string} name
 * @returns {Promise<import("./result.js").Result>}
 */
async function resultOf(answer, name) {
  /** @type {Record<string, Uint8Array>} */
  const files = Object.fromEntries(
    Object.entries(answer.images).map(([kind, text]) => [kind, fromBase64(/** @type {string} */ (text))]),
  );
  const { classes, width, height } = answer;
  const several = classes.length > 1;
  const softmax = several && "mask" in files;
  const read = async (/** @type {string} */ kind) => (await readPng(files[kind])).samples;
  const named = (/** @type {string} */ name, /** @type {string} */ kind) => (several ? `${name}_${kind}` : kind);
  const labels = softmax ? await read("mask") : null;
  const masks = await Promise.all(
    classes.map(async (/** @type {string} */ each, /** @type {number} */ number) =>
      labels ? labels.map((label) => Number(label === number + 1)) : (await read(named(each, "mask"))).map((value) => Number(value > 0)),
    ),
  );
  const probabilities = await Promise.all(classes.map((/** @type {string} */ each) => read(named(each, "probability"))));
  const fov = Uint8Array.from(await read("fov"), (value) => Number(value > 0));
  const { photograph } = files;
  delete files.fov;
  delete files.photograph;
  return {
    name, width, height, masks, probabilities, fov, classes, softmax, files, photograph,
    thresholds: answer.thresholds,
    minSize: answer.min_size,
    expectedF1: classes.map((/** @type {string} */ each) => answer.expected_f1?.[each] ?? null),
    notes: answer.notes,
    model: answer.model,
    modelSha256: answer.sha256,
    imageSha256: answer.image_sha256 ?? "",
    seconds: answer.seconds,
  };
}
