/** The table of what was made, in the columns of `segment.csv` (`inference/record.py`). */

/** @typedef {import("./work.js").Work} Work */

/** What a cell begins with that spreadsheets would calculate. */
const FORMULA = /^[=+\-@\t\n]/;

/**
 * @param {{work: Work, files: string[]}[]} images In order, each with the names of its masks' files.
 * @returns {string} With a byte order mark, by which spreadsheets know that it is UTF-8.
 */
export function table(images) {
  const classes = [...new Set(images.flatMap(({ work }) => work.result?.classes ?? []))];
  const header = [
    "image", "status", "masks", "width", "height", ...classes.map((name) => `area_${name}`),
    ...classes.map((name) => `expected_f1_${name}`), "seconds", "model", "note",
  ];
  const rows = images.map(({ work, files }) => rowOf(work, files, classes));
  return `\ufeff${[header, ...rows].map((row) => row.map(cell).join(",")).join("\n")}\n`;
}

/**
 * @param {Work} work
 * @param {string[]} files
 * @param {string[]} classes
 */
function rowOf(work, files, classes) {
  const { result } = work;
  const numbers = classes.map((name) => result?.classes.indexOf(name) ?? -1);
  const areas = numbers.map((number) => (number < 0 ? null : work.areas[number]));
  const scores = numbers.map((number) => (number < 0 ? null : expected(work, number)));
  return [
    work.name, work.status, files.join("; "), result?.width, result?.height, ...areas,
    ...scores.map((score) => (score ? Number(score.value.toFixed(4)) : null)),
    result && Number(result.seconds.toFixed(4)), result?.model, notesOf(work).join("; "),
  ];
}

/**
 * What a mask would probably score; of one that was changed nothing is known.
 * @param {Work} work
 * @param {number} number Of the class.
 */
export function expected(work, number) {
  return work.untouched && !work.corrected ? (work.result?.expectedF1[number] ?? null) : null;
}

/**
 * What was decided or changed, the person's part included.
 * @param {Work} work
 * @returns {string[]}
 */
export function notesOf(work) {
  if (!work.result) return work.error ? [work.error] : [];
  const notes = [...work.result.notes];
  if (!work.untouched) {
    const chosen = work.thresholds.map((threshold) => threshold.toFixed(3)).join(", ");
    const own = work.result.thresholds.map((threshold) => threshold.toFixed(3)).join(", ");
    notes.push(`threshold ${chosen}, set by hand in place of ${own}`);
  }
  if (work.corrected) notes.push(`corrected by hand: ${work.corrected} pixels`);
  return notes;
}

/** @param {unknown} value */
function cell(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && FORMULA.test(text) && Number.isNaN(Number(text))) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
