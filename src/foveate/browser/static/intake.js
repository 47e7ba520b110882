/** Ways by which photographs come in: dropped, pasted, chosen, as a folder, or the drawn one. */

import { fromBase64 } from "./bytes.js";

/** Endings of what a folder is searched for; single files are taken whatever their name. */
const ENDINGS = /\.(jpe?g|png|tiff?|gif|bmp|webp|p[bgp]m)(\.gz)?$/i;

/** @typedef {{file: Blob, name: string}} Given */

/**
 * @param {(given: Given[]) => void} take Called with what came in, if anything.
 */
export function listen(take) {
  const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
  for (const id of ["files", "folder"]) {
    byId(id).addEventListener("change", (event) => {
      const input = /** @type {HTMLInputElement} */ (event.target);
      const files = [...(input.files ?? [])].filter(({ name }) => id === "files" || ENDINGS.test(name));
      take(files.map((file) => ({ file, name: file.webkitRelativePath || file.name })));
      input.value = "";
    });
  }
  byId("try").addEventListener("click", async () => take([await drawnEye()]));
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(files.map((file) => ({ file, name: file.name || "pasted.png" })));
  });
  const drop = byId("drop");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer ? await dropped(event.dataTransfer) : []);
  });
}

/** @returns {Promise<Given>} The eye of nobody that comes with the page. */
async function drawnEye() {
  const { href } = /** @type {HTMLAnchorElement} */ (document.getElementById("sample"));
  const bytes = href.startsWith("data:")
    ? fromBase64(href.slice(href.indexOf(",") + 1))
    : new Uint8Array(await (await fetch(href)).arrayBuffer());
  return { file: new Blob([bytes]), name: "drawn_eye.jpg" };
}

/**
 * @param {DataTransfer} transfer
 * @returns {Promise<Given[]>}
 */
async function dropped(transfer) {
  // The list is empty as soon as anything was waited for.
  const items = [...transfer.items];
  const files = [...transfer.files];
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return files.map((file) => ({ file, name: file.name }));
  // From a page that is a file, Chromium reads folders by handles alone; other browsers have none.
  const handles = items.map((/** @type {any} */ item) => item.getAsFileSystemHandle?.() ?? null);
  const lists = await Promise.all(entries.map(async (entry, number) => {
    if (handles[number]) return belowHandle(await handles[number], "", false);
    return entry ? below(entry, false) : [];
  }));
  return lists.flat();
}

/**
 * @param {any} handle Of a dropped file or folder.
 * @param {string} folder It lies in this one, with a slash at the end; empty where it was dropped itself.
 * @param {boolean} inFolder
 * @returns {Promise<Given[]>} The files in it, at any depth, by name.
 */
async function belowHandle(handle, folder, inFolder) {
  const name = folder + handle.name;
  if (handle.kind === "file") {
    return inFolder && !ENDINGS.test(handle.name) ? [] : [{ file: await handle.getFile(), name }];
  }
  const found = [];
  for await (const each of handle.values()) found.push(each);
  found.sort((one, other) => one.name.localeCompare(other.name));
  return (await Promise.all(found.map((each) => belowHandle(each, `${name}/`, true)))).flat();
}

/**
 * @param {any} entry Of a dropped file or folder.
 * @param {boolean} inFolder
 * @returns {Promise<Given[]>} The files in it, at any depth, by name.
 */
async function below(entry, inFolder) {
  if (entry.isFile) {
    if (inFolder && !ENDINGS.test(entry.name)) return [];
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, name: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const found = [];
  // A reader gives its entries in parts, until it gives none.
  for (;;) {
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) break;
    found.push(...part);
  }
  found.sort((one, other) => one.name.localeCompare(other.name));
  return (await Promise.all(found.map((each) => below(each, true)))).flat();
}
