"use strict";
for (const viewer of document.querySelectorAll("[data-viewer]")) {
  const stage = viewer.querySelector(".stage");
  const stack = viewer.querySelector(".stack");
  const form = viewer.querySelector("form");
  const layers = [...viewer.querySelectorAll(".layer")];
  let scale = 1, left = 0, top = 0, dragged = false, hold = null;

  // What the switches say: a layer is hidden by its own, or because another model or class is chosen.
  function show() {
    const chosen = {};
    for (const radio of form.querySelectorAll("input[type=radio]:checked")) {
      chosen[radio.name.split("-").pop()] = radio.value;
    }
    for (const layer of layers) {
      const { layer: kind, model, class: of } = layer.dataset;
      layer.hidden = !form.elements[kind].checked;
      layer.classList.toggle("unchosen", [[model, chosen.model ?? "0"], [of, chosen.class ?? "0"]].some(
        ([own, wanted]) => own !== undefined && own !== wanted));
    }
    const coloured = layers.some((layer) => /^(true|false) /.test(layer.dataset.layer) && !layer.hidden);
    stack.classList.toggle("dimmed", coloured);
  }

  function place() {
    const { width, height } = stage.getBoundingClientRect();
    left = Math.min(0, Math.max(width * (1 - scale), left));
    top = Math.min(0, Math.max(height * (1 - scale), top));
    stack.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
    stage.classList.toggle("zoomed", scale > 1);
    stage.classList.toggle("close", scale > 2);
  }

  // Zoom so that the point x, y of the stage stays where it is.
  function zoom(factor, x, y) {
    const { width, height } = stage.getBoundingClientRect();
    x ??= width / 2;
    y ??= height / 2;
    const wanted = Math.min(16, Math.max(1, scale * factor));
    left = x - (x - left) * wanted / scale;
    top = y - (y - top) * wanted / scale;
    scale = wanted;
    place();
  }

  function move(x, y) {
    left += x;
    top += y;
    place();
  }

  const actions = {
    in: () => zoom(1.6),
    out: () => zoom(1 / 1.6),
    reset: () => zoom(0),
  };
  const keys = {
    "+": actions.in, "=": actions.in, "-": actions.out, "0": actions.reset, Escape: actions.reset,
    ArrowLeft: () => move(60, 0), ArrowRight: () => move(-60, 0),
    ArrowUp: () => move(0, 60), ArrowDown: () => move(0, -60),
  };

  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of form.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", actions[button.dataset.zoom]);
  }
  stage.addEventListener("keydown", (event) => {
    const moving = event.key.startsWith("Arrow") && scale === 1;
    if (keys[event.key] && !moving && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  // The wheel scrolls the page unless the image was clicked before.
  stage.addEventListener("wheel", (event) => {
    if (event.ctrlKey || scale > 1) {
      event.preventDefault();
      const box = stage.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
    }
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    dragged = false;
    hold = { x: event.clientX, y: event.clientY };
  });
  stage.addEventListener("pointermove", (event) => {
    if (hold && scale > 1 && event.buttons) {
      dragged ||= Math.hypot(event.clientX - hold.x, event.clientY - hold.y) > 4;
      if (dragged) {
        move(event.clientX - hold.x, event.clientY - hold.y);
        hold = { x: event.clientX, y: event.clientY };
      }
    }
  });
  stage.addEventListener("click", (event) => {
    if (!dragged) {
      const box = stage.getBoundingClientRect();
      zoom(scale > 1 ? 0 : 4, event.clientX - box.left, event.clientY - box.top);
    }
  });
  window.addEventListener("resize", place);
  show();
}
// A closed list of measures is on paper, too.
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const each of opened) each.open = true;
});
window.addEventListener("afterprint", () => {
  for (const each of opened) each.open = false;
});
