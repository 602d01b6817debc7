// A training at the sliders' position: a button that starts it, a bar, a button that stops it. The kernel trains.
import { fill, make } from "./make.mjs";
import { sliderRows } from "./sliders.mjs";

function render({ model, el }) {
  const { title, sliders, steps } = model.get("facts");
  const { rows, position } = sliderRows(sliders, () => {});
  const start = make("button", { type: "button" }, "Train here");
  const stop = make("button", { type: "button", disabled: true }, "Stop");
  const bar = make("progress", { max: steps, value: 0, "aria-label": "steps of the training" });
  const said = make("p", { role: "status" }, "Choose a position, then train.");
  const image = make("img", { hidden: true });

  start.addEventListener("click", () => {
    start.disabled = true;
    stop.disabled = false;
    bar.value = 0;
    said.textContent = "starting";
    model.send({ train: position() });
  });
  stop.addEventListener("click", () => model.send({ stop: true }));
  model.on("change:answer", () => {
    const { step, text, running, picture } = model.get("answer");
    bar.value = step;
    said.textContent = text;
    start.disabled = running;
    stop.disabled = !running;
    if (picture) {
      [image.src, image.alt, image.width] = picture;
      image.hidden = false;
    }
  });
  fill(
    el, "training",
    make("p", {}, make("b", {}, title)), ...rows, make("p", { class: "kdsharp-row" }, start, stop, bar), said, image,
  );
}

export default { render };
