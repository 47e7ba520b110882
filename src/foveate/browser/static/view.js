/** A canvas that shows layers at any scale, down to pixels. */

/** Screen pixels of a photograph's pixel from which on the grid is drawn. */
const GRID_FROM = 8;
const MOST = 64;

export class View {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(scale: number) => void} onScale Told the scale after every change.
   */
  constructor(canvas, onScale) {
    this.canvas = canvas;
    this.onScale = onScale;
    this.width = 1;
    this.height = 1;
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    /** @type {() => {picture: CanvasImageSource, opacity: number, shade: number}[]} */
    this.layers = () => [];
    /** @type {{row: number, column: number, diameter: number} | null} The brush, where there is one. */
    this.cross = null;
    this.asked = false;
    this.fits = true;
    new ResizeObserver(() => this.resized()).observe(canvas);
  }

  /**
   * @param {number} width Of the photograph.
   * @param {number} height
   * @param {() => {picture: CanvasImageSource, opacity: number, shade: number}[]} layers
   */
  show(width, height, layers) {
    Object.assign(this, { width, height, layers });
    this.fit();
  }

  resized() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    if (this.fits) this.fit();
    // A canvas that has another size is empty, and may be seen before the next frame.
    this.drawNow();
  }

  fit() {
    const [across, down] = [this.canvas.clientWidth, this.canvas.clientHeight];
    this.scale = Math.min(across / this.width, down / this.height) || 1;
    this.left = (across - this.width * this.scale) / 2;
    this.top = (down - this.height * this.scale) / 2;
    this.fits = true;
    this.draw();
  }

  /**
   * @param {number} factor
   * @param {number} [x] In the canvas; its middle if left out.
   * @param {number} [y]
   */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const least = Math.min(1, this.canvas.clientWidth / this.width, this.canvas.clientHeight / this.height) / 2;
    const scale = Math.min(MOST, Math.max(least, this.scale * factor));
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.fits = false;
    this.draw();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  move(x, y) {
    this.left += x;
    this.top += y;
    this.fits = false;
    this.draw();
  }

  /**
   * @param {number} x In the canvas.
   * @param {number} y
   * @returns {{row: number, column: number}} The photograph's pixel there, or one beyond it.
   */
  pixelAt(x, y) {
    return { row: Math.floor((y - this.top) / this.scale), column: Math.floor((x - this.left) / this.scale) };
  }

  /** Draw before the next frame. */
  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.drawNow();
      this.onScale(this.scale);
    });
  }

  drawNow() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const ratio = this.canvas.width / Math.max(1, this.canvas.clientWidth);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(ratio * this.scale, 0, 0, ratio * this.scale, ratio * this.left, ratio * this.top);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.width, this.height);
    context.imageSmoothingEnabled = this.scale * ratio < 1.5;
    context.imageSmoothingQuality = "high";
    for (const { picture, opacity, shade } of this.layers()) {
      context.globalAlpha = shade;
      if (shade) context.fillRect(0, 0, this.width, this.height);
      context.globalAlpha = opacity;
      context.drawImage(picture, 0, 0);
    }
    context.globalAlpha = 1;
    if (this.scale >= GRID_FROM) this.drawGrid(context);
    if (this.cross) this.drawCross(context, this.cross);
  }

  /** @param {CanvasRenderingContext2D} context */
  drawGrid(context) {
    const from = this.pixelAt(0, 0);
    const to = this.pixelAt(this.canvas.clientWidth, this.canvas.clientHeight);
    const [top, left] = [Math.max(0, from.row), Math.max(0, from.column)];
    const [bottom, right] = [Math.min(this.height, to.row + 1), Math.min(this.width, to.column + 1)];
    context.beginPath();
    for (let row = top; row <= bottom; row++) {
      context.moveTo(left, row);
      context.lineTo(right, row);
    }
    for (let column = left; column <= right; column++) {
      context.moveTo(column, top);
      context.lineTo(column, bottom);
    }
    context.lineWidth = 1 / this.scale;
    context.strokeStyle = "rgba(255, 255, 255, 0.3)";
    context.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {{row: number, column: number, diameter: number}} cross
   */
  drawCross(context, { row, column, diameter }) {
    for (const [colour, width] of [["#000", 3], ["#fff", 1]]) {
      context.beginPath();
      context.arc(column + 0.5, row + 0.5, Math.max(diameter / 2, 3 / this.scale), 0, 2 * Math.PI);
      context.lineWidth = Number(width) / this.scale;
      context.strokeStyle = String(colour);
      context.stroke();
    }
  }
}
