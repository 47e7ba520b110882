/** The page itself: puts intake, engine, list, view and controls together. */

import { allFiles, filesOf, namesOf, save, tableOf, TABLE } from "./downloads.js";
import { byId, make } from "./elements.js";
import { showList, showProgress } from "./gallery.js";
import { changeBrush, handle } from "./hands.js";
import { listen } from "./intake.js";
import { Layers, switchesFor } from "./layers.js";
import { showNumbers, showSwitches, showTargets, showThresholds } from "./panel.js";
import { photographOf } from "./picture.js";
import { loadReference } from "./reference.js";
import { View } from "./view.js";
import { Work } from "./work.js";

/** @typedef {import("./result.js").Engine} Engine */

class Page {
  /** @param {Engine} engine */
  constructor(engine) {
    this.engine = engine;
    /** @type {Work[]} */
    this.works = [];
    /** @type {Layers | null} Of the image that is shown. */
    this.layers = null;
    /** @type {Work | null} The image asked for last. */
    this.asked = null;
    /** @type {import("./layers.js").Switch[]} */
    this.switches = [];
    /** @type {Map<string, import("./layers.js").Switch>} Those that were shown, by name: an image without one keeps it. */
    this.known = new Map();
    this.busy = false;
    this.view = new View(byId("stage"), (scale) => {
      byId("zoom").textContent = `${Math.round(100 * scale)} %`;
    });
    this.brush = this.painter();
    handle(this.view, this.brush);
    listen((given) => this.take(given));
    this.connect();
  }

  /** @param {import("./intake.js").Given[]} given */
  take(given) {
    this.works.push(...given.map(({ file, name }) => new Work(file, name)));
    this.told();
    if (!this.busy) this.workOff();
  }

  /** One image after the other; one that fails stops none. */
  async workOff() {
    this.busy = true;
    for (let work; (work = this.works.find(({ status }) => status === "waiting")); ) {
      work.status = "working";
      this.told();
      // A page whose network runs in it draws nothing meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 30));
      await this.segment(work);
      this.told();
      if (work.result && !this.asked) await this.select(work);
    }
    this.busy = false;
  }

  /** @param {Work} work */
  async segment(work) {
    try {
      const bytes = new Uint8Array(await work.file.arrayBuffer());
      work.finish(await this.engine.segment(bytes, work.name, byId("model").value));
    } catch (error) {
      const { message, hint } = /** @type {import("./result.js").Refused} */ (error);
      work.status = "failed";
      work.error = `${message.replace(/\.?$/, ".")} ${hint ?? ""}`.trim();
    }
  }

  /** Say what became of the images. */
  told() {
    showList(this.works, this.layers?.work ?? null, (work) => this.select(work));
    showProgress(this.works);
  }

  /** @param {Work} work One that is done. */
  async select(work) {
    const result = /** @type {import("./result.js").Result} */ (work.result);
    this.asked = work;
    const bitmap = await photographOf(work);
    // A large photograph takes longer to open than the small one that was asked for after it.
    if (this.asked !== work) return;
    const layers = new Layers(work, bitmap);
    this.layers = layers;
    byId("work").hidden = byId("panel").hidden = false;
    byId("work-title").textContent = work.name;
    byId("pointed").textContent = bitmap ? "" : "This browser can't show this kind of file: its layers are shown without it.";
    this.switches = switchesFor(result).map((each) => this.known.get(each.name) ?? each);
    for (const each of this.switches) this.known.set(each.name, each);
    showSwitches(this.switches, () => this.view.draw());
    showThresholds(work, () => this.changed());
    showTargets(work);
    this.view.resized();
    this.view.show(result.width, result.height, () => layers.shown(this.switches));
    showNumbers(work);
    this.told();
  }

  /** The mask or the reference is another: show it. */
  changed() {
    if (!this.layers) return;
    this.layers.work.decide();
    this.layers.changed();
    this.view.draw();
    showNumbers(this.layers.work);
    this.told();
  }

  /** @returns {import("./hands.js").Painter} */
  painter() {
    const tool = () => /** @type {HTMLInputElement} */ (document.querySelector("[name=tool]:checked")).value;
    return {
      diameter: () => (tool() === "move" ? 0 : Number(byId("brush-size").value)),
      begin: () => {
        const [target, number] = byId("target").value.split(" ");
        this.layers?.work.begin({ target, number: Number(number) });
        if (target === "reference") this.compare();
      },
      dab: (row, column) => {
        const box = this.layers?.work.dab(row, column, Number(byId("brush-size").value), tool() === "add");
        this.layers?.changed(box);
        this.view.draw();
      },
      end: () => this.changed(),
    };
  }

  /** Switch the comparison on. */
  compare() {
    for (const each of this.switches) if (each.name === "comparison") each.on = true;
    showSwitches(this.switches, () => this.view.draw());
  }

  connect() {
    const { view } = this;
    const zooms = { in: () => view.zoom(1.5), out: () => view.zoom(1 / 1.5), fit: () => view.fit(), pixels: () => view.zoom(16 / view.scale) };
    for (const [name, zoom] of Object.entries(zooms)) document.querySelector(`[data-zoom=${name}]`)?.addEventListener("click", zoom);
    byId("brush-size").addEventListener("input", showBrush);
    showBrush();
    for (const id of ["tools", "brush-size"]) byId(id).addEventListener("input", () => changeBrush(view, this.brush));
    byId("undo").addEventListener("click", () => {
      this.layers?.work.undo();
      this.changed();
    });
    byId("reference").addEventListener("change", (/** @type {Event} */ event) => this.refer(/** @type {any} */ (event.target)));
    byId("no-reference").addEventListener("click", () => {
      this.layers?.work.references.fill(null);
      this.changed();
    });
    this.connectDownloads();
  }

  /** @param {HTMLInputElement} input */
  async refer(input) {
    const [file, layers] = [input.files?.[0], this.layers];
    input.value = "";
    if (!file || !layers) return;
    try {
      await loadReference(layers.work, file, Number(byId("target").value.split(" ")[1]));
      this.compare();
      this.changed();
      byId("status").textContent = `${file.name} is the reference.`;
    } catch (error) {
      byId("status").textContent = /** @type {Error} */ (error).message;
    }
  }

  connectDownloads() {
    for (const button of byId("downloads").querySelectorAll("button")) {
      button.addEventListener("click", async () => {
        if (!this.layers) return;
        const { work } = this.layers;
        const name = namesOf(this.works).get(work) ?? "";
        save(await filesOf(work, name, button.dataset.get), `${name}_${button.dataset.get}.zip`);
      });
    }
    const ended = () => this.works.filter(({ status }) => status === "done" || status === "failed");
    byId("get-table").addEventListener("click", () => save([{ name: TABLE, bytes: tableOf(ended()) }], TABLE));
    byId("get-all").addEventListener("click", async () => {
      const files = await allFiles(ended());
      save(files, "foveate.zip");
    });
  }
}

function showBrush() {
  byId("brush-text").textContent = `${byId("brush-size").value} pixels`;
}

/** @returns {Promise<string>} The server's key, which the person types. */
export function askKey() {
  const form = byId("key-form");
  form.hidden = false;
  byId("key").focus();
  return new Promise((resolve) => {
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      form.hidden = true;
      const key = byId("key").value;
      form.reset();
      resolve(key);
    }, { once: true });
  });
}

/**
 * Begin, once the engine runs.
 * @param {Promise<Engine>} opening
 */
export async function start(opening) {
  try {
    const engine = await opening;
    const models = await engine.models();
    const text = () => {
      const model = models.find(({ name }) => name === byId("model").value);
      byId("model-text").textContent = model?.description ?? "";
      byId("try").hidden = model?.preparation.fov !== "find";
    };
    byId("model").replaceChildren(...models.map(({ name }) => make("option", { value: name }, name)));
    byId("model").addEventListener("change", text);
    text();
    new Page(engine);
    byId("status").textContent = "Ready.";
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    byId("status").textContent = `The page can't begin: ${/** @type {Error} */ (error).message}`;
  }
}
