/** The list of images, each with what became of it. */

import { byId, make } from "./elements.js";

/** @typedef {import("./work.js").Work} Work */

const WORDS = { waiting: "waiting", working: "working …", done: "done", failed: "failed" };

/**
 * @param {Work[]} works
 * @param {Work | null} selected
 * @param {(work: Work) => void} onSelect
 */
export function showList(works, selected, onSelect) {
  byId("list-part").hidden = !works.length;
  const list = byId("list");
  works.forEach((work, number) => {
    const entry = list.children[number] ?? list.appendChild(newEntry(work, onSelect));
    const [button, progress, error] = entry.children;
    button.disabled = work.status !== "done";
    button.setAttribute("aria-current", String(work === selected));
    button.lastChild.textContent = stateOf(work);
    progress.hidden = work.status !== "working";
    error.hidden = work.status !== "failed";
    error.textContent = work.error;
  });
}

/** @param {Work} work */
function stateOf(work) {
  if (!work.result) return WORDS[work.status];
  const areas = work.result.classes.map((name, number) => {
    const share = work.areas[number];
    return `${name} ${share === null ? "–" : `${(100 * share).toFixed(1)} %`}`;
  });
  return `${areas.join(", ")}${work.corrected ? ", corrected by hand" : ""}`;
}

/**
 * @param {Work} work
 * @param {(work: Work) => void} onSelect
 */
function newEntry(work, onSelect) {
  const button = make("button", { type: "button" }, make("span", { className: "name" }, work.name), " ", make("span", { className: "soft" }));
  button.addEventListener("click", () => onSelect(work));
  const progress = make("progress", { hidden: true, ariaLabel: `${work.name} is being segmented` });
  return make("li", {}, button, progress, make("p", { className: "error", hidden: true }));
}

/** @param {Work[]} works */
export function showProgress(works) {
  const count = (/** @type {string} */ status) => works.filter((work) => work.status === status).length;
  const [done, failed] = [count("done"), count("failed")];
  const progress = byId("progress");
  progress.max = Math.max(1, works.length);
  progress.value = done + failed;
  progress.hidden = done + failed === works.length;
  const failures = failed ? `, ${failed} failed` : "";
  byId("status").textContent = works.length ? `${done} of ${works.length} done${failures}.` : "";
}
