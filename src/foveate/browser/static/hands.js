/** What mouse, fingers, pen and keys do on the canvas: zoom, move, paint. */

/** @typedef {import("./view.js").View} View */

/**
 * @typedef {object} Painter
 * @property {() => number} diameter Of the brush, in pixels of the photograph; 0 where nothing is painted.
 * @property {() => void} begin A stroke.
 * @property {(row: number, column: number) => void} dab
 * @property {() => void} end
 */

const STEP = 40;

/**
 * @param {View} view
 * @param {Painter} painter
 */
export function handle(view, painter) {
  const { canvas } = view;
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let painting = false;

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    view.zoom(Math.exp(-event.deltaY / (event.deltaMode ? 15 : 400)), event.offsetX, event.offsetY);
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    painting = painter.diameter() > 0 && fingers.size === 1 && event.button === 0;
    if (!painting) return;
    painter.begin();
    dabAt(view, painter, event.offsetX, event.offsetY);
  });

  canvas.addEventListener("pointermove", (event) => {
    const now = { x: event.offsetX, y: event.offsetY };
    const before = fingers.get(event.pointerId);
    aim(view, painter, now);
    if (!before) return;
    const still = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (still) {
      view.zoom(distance(still, now) / Math.max(1, distance(still, before)), still.x, still.y);
    } else if (painting) {
      line(view, painter, before, now);
    } else {
      view.move(now.x - before.x, now.y - before.y);
    }
    fingers.set(event.pointerId, now);
  });

  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      fingers.delete(/** @type {PointerEvent} */ (event).pointerId);
      if (painting) painter.end();
      painting = false;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    if (press(view, painter, event)) event.preventDefault();
  });
}

/**
 * @param {View} view
 * @param {Painter} painter
 * @param {KeyboardEvent} event
 * @returns {boolean} Whether the key meant anything.
 */
function press(view, painter, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const arrow = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (arrow && painter.diameter()) moveCross(view, painter, arrow, event.shiftKey ? 10 : 1);
  else if (arrow) view.move(-STEP * arrow[1], -STEP * arrow[0]);
  else if (event.key === "+" || event.key === "=") view.zoom(1.5);
  else if (event.key === "-" || event.key === "−") view.zoom(1 / 1.5);
  else if (event.key === "0") view.fit();
  else if (event.key === "1") view.zoom(16 / view.scale);
  else if (event.key === " " && painter.diameter()) paintCross(view, painter);
  else return false;
  return true;
}

/**
 * @param {View} view
 * @param {Painter} painter
 * @param {number[]} arrow
 * @param {number} pixels
 */
function moveCross(view, painter, [down, across], pixels) {
  const middle = view.pixelAt(view.canvas.clientWidth / 2, view.canvas.clientHeight / 2);
  const { row, column } = view.cross ?? middle;
  view.cross = {
    row: Math.min(view.height - 1, Math.max(0, row + down * pixels)),
    column: Math.min(view.width - 1, Math.max(0, column + across * pixels)),
    diameter: painter.diameter(),
  };
  view.draw();
}

/**
 * @param {View} view
 * @param {Painter} painter
 */
function paintCross(view, painter) {
  if (!view.cross) moveCross(view, painter, [0, 0], 0);
  const { row, column } = /** @type {{row: number, column: number}} */ (view.cross);
  painter.begin();
  painter.dab(row, column);
  painter.end();
}

/**
 * The ring of the brush as it is now, where one is shown.
 * @param {View} view
 * @param {Painter} painter
 */
export function changeBrush(view, painter) {
  if (!view.cross) return;
  const diameter = painter.diameter();
  view.cross = diameter ? { ...view.cross, diameter } : null;
  view.draw();
}

/**
 * @param {View} view
 * @param {Painter} painter
 * @param {{x: number, y: number}} at
 */
function aim(view, painter, { x, y }) {
  const diameter = painter.diameter();
  if (!diameter && !view.cross) return;
  view.cross = diameter ? { ...view.pixelAt(x, y), diameter } : null;
  view.draw();
}

/**
 * @param {View} view
 * @param {Painter} painter
 * @param {number} x
 * @param {number} y
 */
function dabAt(view, painter, x, y) {
  const { row, column } = view.pixelAt(x, y);
  painter.dab(row, column);
}

/**
 * Dabs along a line, close enough to leave no gap.
 * @param {View} view
 * @param {Painter} painter
 * @param {{x: number, y: number}} from
 * @param {{x: number, y: number}} to
 */
function line(view, painter, from, to) {
  const gap = Math.max(1, (painter.diameter() * view.scale) / 4);
  const count = Math.min(200, Math.max(1, Math.ceil(distance(from, to) / gap)));
  for (let step = 1; step <= count; step++) {
    const share = step / count;
    dabAt(view, painter, from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share);
  }
}

/**
 * @param {{x: number, y: number}} one
 * @param {{x: number, y: number}} other
 */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
