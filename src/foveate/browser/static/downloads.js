/** Files that the page makes: masks, overlays, probabilities, the table, and all of them. */

import { Layers, switchesFor } from "./layers.js";
import { photographOf } from "./picture.js";
import { writePng } from "./png.js";
import { table } from "./record.js";
import { zipped } from "./zip.js";

/** @typedef {import("./work.js").Work} Work */
/** @typedef {import("./result.js").Result} Result */
/** @typedef {{name: string, bytes: Uint8Array}} NamedFile */

export const TABLE = "segment.csv";

/**
 * @param {Work[]} works
 * @returns {Map<Work, string>} A NAME for each, the file's own without its ending, no two alike.
 */
export function namesOf(works) {
  /** @type {Map<Work, string>} */
  const names = new Map();
  const taken = new Set();
  for (const work of works) {
    const own = work.name.replace(/^.*[\\/]/, "").replace(/\.gz$/i, "").replace(/\.[^.]+$/, "") || "image";
    const plain = own.replace(/[<>:"|?*\u0000-\u001f]/g, "_");
    let name = plain;
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${plain}-${number}`;
    taken.add(name.toLowerCase());
    names.set(work, name);
  }
  return names;
}

/**
 * @param {Work} work One that is done.
 * @param {string} name
 * @param {"mask" | "corrected" | "overlay" | "probability"} kind
 * @returns {Promise<NamedFile[]>} One, or one for each class.
 */
export async function filesOf(work, name, kind) {
  const { width, height, classes, probabilities, files } = /** @type {Result} */ (work.result);
  if (kind === "overlay") return [{ name: `${name}_overlay.png`, bytes: await overlay(work) }];
  const ready = kind !== "mask" || work.untouched ? Object.keys(files).filter((each) => each.endsWith(kind)) : [];
  // What a server has made is handed on as it is.
  if (ready.length) return ready.map((each) => ({ name: `${name}_${each}.png`, bytes: files[each] }));
  const what = kind === "corrected" ? "corrected_mask" : kind;
  const grey = (/** @type {Uint8Array} */ mask) => mask.map((value) => 255 * value);
  const planes = kind === "probability" ? probabilities : (kind === "mask" ? work.decided() : work.masks).map(grey);
  return Promise.all(
    planes.map(async (plane, number) => ({
      name: `${name}_${classes.length > 1 ? `${classes[number]}_` : ""}${what}.png`,
      bytes: await writePng(plane, width, height),
    })),
  );
}

/**
 * The photograph with a line around every mask and the field of view's edge, as `foveate segment --overlay` draws it.
 * @param {Work} work
 * @returns {Promise<Uint8Array>}
 */
async function overlay(work) {
  const result = /** @type {Result} */ (work.result);
  const { width, height } = result;
  const bitmap = await photographOf(work);
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillRect(0, 0, width, height);
  for (const { picture, opacity } of new Layers(work, bitmap).shown(switchesFor(result))) {
    context.globalAlpha = opacity;
    context.drawImage(picture, 0, 0);
  }
  return new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
}

/**
 * @param {Work[]} works Those that are done or have failed.
 * @returns {Promise<NamedFile[]>} Every file of every image, and the table.
 */
export async function allFiles(works) {
  const names = namesOf(works);
  const all = [];
  for (const work of works) {
    if (!work.result) continue;
    const kinds = ["mask", ...(work.corrected ? ["corrected"] : []), "overlay", "probability"];
    for (const kind of kinds) all.push(...(await filesOf(work, names.get(work) ?? "", /** @type {any} */ (kind))));
  }
  return [...all, { name: TABLE, bytes: tableOf(works) }];
}

/**
 * @param {Work[]} works
 * @returns {Uint8Array}
 */
export function tableOf(works) {
  const names = namesOf(works);
  const images = works.map((work) => ({ work, files: maskFiles(work, names.get(work) ?? "") }));
  return new TextEncoder().encode(table(images));
}

/**
 * @param {Work} work
 * @param {string} name
 */
function maskFiles(work, name) {
  if (!work.result) return [];
  const { classes, softmax } = work.result;
  const together = classes.length === 1 || (softmax && work.untouched && "mask" in work.result.files);
  const each = (/** @type {string} */ what) => classes.map((one) => `${name}_${classes.length > 1 ? `${one}_` : ""}${what}.png`);
  return [...(together ? [`${name}_mask.png`] : each("mask")), ...(work.corrected ? each("corrected_mask") : [])];
}

/**
 * Hand files to the person: one as it is, several as a ZIP file.
 * @param {NamedFile[]} files
 * @param {string} together The ZIP file's name.
 */
export function save(files, together) {
  const { name, bytes } = files.length === 1 ? files[0] : { name: together, bytes: zipped(files) };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
