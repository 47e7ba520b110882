/** Where the page begins that works without a server: everything it needs stands in it. */

import { browserEngine } from "./browser.js";
import { fromBase64, unpacked } from "./bytes.js";
import { start } from "./start.js";

/** @param {string} id */
const textOf = (id) => document.getElementById(id)?.textContent ?? "";

/** @returns {Promise<import("./result.js").Engine>} */
async function opened() {
  const glue = URL.createObjectURL(new Blob([fromBase64(textOf("runtime-glue"))], { type: "text/javascript" }));
  return browserEngine(/** @type {any} */ (globalThis).ort, {
    card: JSON.parse(textOf("model-card")),
    model: fromBase64(textOf("model-file")),
    wasm: await unpacked(fromBase64(textOf("runtime-wasm")), "gzip"),
    glue,
  });
}

start(opened());
