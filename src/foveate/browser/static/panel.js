/** The controls beside an image, and its numbers. */

import { byId, make } from "./elements.js";
import { expected, notesOf } from "./record.js";
import { hasField } from "./result.js";

/** @typedef {import("./work.js").Work} Work */
/** @typedef {import("./layers.js").Switch} Switch */

/**
 * A switch and a fader for each layer, the highest first.
 * @param {Switch[]} switches
 * @param {() => void} onChange
 */
export function showSwitches(switches, onChange) {
  const rows = [...switches].reverse().map((each) => {
    const on = make("input", { type: "checkbox", checked: each.on, name: each.name });
    on.addEventListener("change", () => {
      each.on = on.checked;
      onChange();
    });
    const fade = make("input", { type: "range", min: 0, max: 100, value: 100 * each.opacity, ariaLabel: `Opacity: ${each.text}` });
    fade.addEventListener("input", () => {
      each.opacity = fade.value / 100;
      onChange();
    });
    return make("div", { className: "layer" }, make("label", {}, on, ` ${each.text}`), fade);
  });
  byId("layers").replaceChildren(byId("layers").querySelector("legend"), ...rows);
}

/**
 * A slider for each threshold.
 * @param {Work} work
 * @param {() => void} onChange
 */
export function showThresholds(work, onChange) {
  const { classes, thresholds } = /** @type {import("./result.js").Result} */ (work.result);
  const rows = thresholds.map((own, number) => {
    const name = thresholds.length > 1 ? classes[number] : classes.join(", ");
    const id = `threshold-${number}`;
    const slider = make("input", { type: "range", id, min: 0.005, max: 0.995, step: 0.005, value: work.thresholds[number] });
    const shown = make("output", { htmlFor: id }, work.thresholds[number].toFixed(3));
    const back = make("button", { type: "button", ariaLabel: `The model's own threshold for ${name}` }, own.toFixed(3));
    const set = (/** @type {number} */ value) => {
      work.thresholds[number] = value;
      shown.textContent = value.toFixed(3);
      onChange();
    };
    slider.addEventListener("input", () => set(Number(slider.value)));
    back.addEventListener("click", () => {
      slider.value = own;
      set(own);
    });
    return make("div", {}, make("label", { htmlFor: id }, `${name} `), slider, make("div", { className: "row" }, shown, make("span", { className: "soft" }, "the model's own: "), back));
  });
  byId("thresholds").replaceChildren(byId("thresholds").querySelector("legend"), ...rows);
}

/** @param {Work} work */
export function showTargets(work) {
  const { classes } = /** @type {import("./result.js").Result} */ (work.result);
  const options = classes.flatMap((name, number) => [
    make("option", { value: `mask ${number}` }, `mask: ${name}`),
    make("option", { value: `reference ${number}` }, `reference: ${name}`),
  ]);
  const order = (/** @type {HTMLOptionElement} */ option) => Number(option.value.startsWith("reference"));
  byId("target").replaceChildren(...options.sort((one, other) => order(one) - order(other)));
}

/** @param {Work} work */
export function showNumbers(work) {
  const result = /** @type {import("./result.js").Result} */ (work.result);
  const [part, inside] = hasField(result) ? ["field of view", ", in the field of view"] : ["image", ""];
  /** @type {[string, string][]} */
  const lines = result.classes.flatMap((name, number) => {
    const [area, dice] = [work.areas[number], work.dice(number)];
    return /** @type {[string, string][]} */ ([
      [`Area: ${name}`, area === null ? "no field of view" : `${(100 * area).toFixed(2)} % of the ${part}`],
      [`Expected F1: ${name}`, expectedWords(work, number)],
      ...(dice === null ? [] : [[`Dice: ${name}`, `${dice.toFixed(4)} against the reference${inside}`]]),
    ]);
  });
  lines.push(
    ["Size", `${result.width} × ${result.height} pixels`],
    ["Model", `${result.model}, SHA-256 ${result.modelSha256.slice(0, 12)}…`],
    ["Time", `${result.seconds.toFixed(2)} s`],
    ["Notes", notesOf(work).join("; ") || "none"],
  );
  byId("numbers").replaceChildren(...lines.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]));
  byId("undo").disabled = !work.strokes.length;
  byId("no-reference").disabled = byId("legend").hidden = !work.references.some(Boolean);
  byId("downloads").querySelector("[data-get=corrected]").disabled = !work.corrected;
}

/**
 * @param {Work} work
 * @param {number} number
 */
function expectedWords(work, number) {
  const score = expected(work, number);
  if (!score) return work.untouched && !work.corrected ? "not known" : "not known of a mask that was changed";
  const around = score.low === null || score.high === null ? "" : ` (${score.low.toFixed(2)} to ${score.high.toFixed(2)})`;
  return `${score.value.toFixed(2)}${around}`;
}
