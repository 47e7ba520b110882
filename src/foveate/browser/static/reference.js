/** A reference mask from a file. */

import { pixelsOf } from "./picture.js";
import { Refused } from "./result.js";

/**
 * @param {import("./work.js").Work} work
 * @param {File} file A picture of the image's size; what is brighter than 127 is foreground.
 * @param {number} number Of the class.
 * @returns {Promise<void>} Rejects with a Refused.
 */
export async function loadReference(work, file, number) {
  const { width, height } = /** @type {import("./result.js").Result} */ (work.result);
  const read = await pixelsOf(new Uint8Array(await file.arrayBuffer()), file.name);
  if (read.width !== width || read.height !== height) {
    throw new Refused(`${file.name}: is ${read.width}×${read.height} pixels, the image ${width}×${height}.`);
  }
  work.references[number] = Uint8Array.from({ length: width * height }, (_, pixel) => Number(read.pixels[4 * pixel] > 127));
}
