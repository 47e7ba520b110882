/** Pictures that the browser itself can read. */

import { Refused } from "./result.js";

const LEAST_SIDE = 16;
const MOST_PIXELS = 200_000_000;

/**
 * @param {Uint8Array} bytes
 * @param {string} name
 * @returns {Promise<ImageBitmap>} Upright, its colours as they are stored. Rejects with a Refused.
 */
export async function bitmapOf(bytes, name) {
  try {
    return await createImageBitmap(new Blob([bytes]), {
      colorSpaceConversion: "none", imageOrientation: "from-image", premultiplyAlpha: "none",
    });
  } catch {
    throw new Refused(`${name}: ${whyNot(bytes)}`);
  }
}

/**
 * @param {import("./work.js").Work} work
 * @returns {Promise<ImageBitmap | null>} Its photograph; null for one that can't be shown.
 */
export async function photographOf(work) {
  const bytes = work.result?.photograph ?? new Uint8Array(await work.file.arrayBuffer());
  return bitmapOf(bytes, work.name).catch(() => null);
}

/** @param {Uint8Array} bytes */
function whyNot(bytes) {
  if (!bytes.length) return "the file is empty.";
  const tiff = ["73,73,42,0", "77,77,0,42"].includes([...bytes.subarray(0, 4)].join());
  if (tiff) return "browsers don't read TIFF. Save it as PNG, or use foveate segment.";
  return "is no picture that this browser can read, or it is damaged. Use PNG or JPEG.";
}

/**
 * @param {Uint8Array} bytes
 * @param {string} name
 * @returns {Promise<{pixels: Uint8ClampedArray, width: number, height: number}>} H×W×4, over black. Rejects with a
 *   Refused for what is no picture, too small, or too large.
 */
export async function pixelsOf(bytes, name) {
  const bitmap = await bitmapOf(bytes, name);
  const { width, height } = bitmap;
  if (Math.min(width, height) < LEAST_SIDE) {
    throw new Refused(`${name}: is ${width}×${height} pixels; ${LEAST_SIDE} on a side are needed.`);
  }
  if (width * height > MOST_PIXELS) throw new Refused(`${name}: has more than ${MOST_PIXELS / 1e6} million pixels.`);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })
  );
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { pixels: context.getImageData(0, 0, width, height).data, width, height };
}
