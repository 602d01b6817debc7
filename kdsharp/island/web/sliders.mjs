// Rows of sliders and switches: a label with its unit, the value, and what keyboard, finger and screen reader can move.
import { make } from "./make.mjs";

let count = 0;

/** Where a position lies in a list that runs over the last slider fastest. */
export function place(position, shape) {
  return position.reduce((index, step, axis) => index * shape[axis] + step, 0);
}

/** The positions one step away along each slider: what a reader is likely to see next. */
export function neighbours(position, shape) {
  const found = [];
  position.forEach((step, axis) => {
    for (const next of [step - 1, step + 1]) {
      if (next >= 0 && next < shape[axis]) found.push(position.with(axis, next));
    }
  });
  return found;
}

/**
 * Rows for `sliders`, each `{ label, values, start }`, with values as text and the place of the first; one that is a
 * `switch` has two values, off and on.
 * `moved(position)` is called at each move. Gives `{ rows, position(), values(), set(position) }`; `set` calls nobody.
 */
export function sliderRows(sliders, moved) {
  const inputs = [], tells = [];
  const step = (input) => Number(input.type === "checkbox" ? input.checked : input.value);
  const rows = sliders.map(({ label, values, start, switch: isSwitch }) => {
    const id = `kdsharp-slider-${++count}`;
    const output = make("output", { for: id }, values[start]);
    const input = make("input", isSwitch ? { id, type: "checkbox", role: "switch" } : {
      id, type: "range", min: 0, max: values.length - 1, step: 1, value: start, "aria-valuetext": values[start],
    });
    if (isSwitch) input.checked = start === 1;
    else input.value = start;
    const tell = () => {
      output.textContent = values[step(input)];
      if (!isSwitch) input.setAttribute("aria-valuetext", values[step(input)]);
    };
    tells.push(tell);
    input.addEventListener("input", () => {
      tell();
      moved(position());
    });
    inputs.push(input);
    const end = (value) => (isSwitch ? "" : make("small", { "aria-hidden": "true" }, value));
    const track = make("span", { class: "kdsharp-track" }, end(values[0]), input, end(values.at(-1)));
    return make("p", { class: "kdsharp-slider" }, make("label", { for: id }, `${label}: `, output), track);
  });
  const position = () => inputs.map(step);
  const set = (wanted) => inputs.forEach((input, axis) => {
    if (input.type === "checkbox") input.checked = wanted[axis] === 1;
    else input.value = wanted[axis];
    tells[axis]();
  });
  return { rows, position, set, values: () => position().map((step, axis) => sliders[axis].values[step]) };
}
