// Two pictures of one thing, and a border between them that the reader moves.
import { fill, make } from "./make.mjs";

function render({ model, el }) {
  const { left, right, label } = model.get("facts");
  const over = make("img", { src: left[0], alt: left[1], class: "kdsharp-over" });
  const border = make("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": label });
  const said = make("p", { class: "kdsharp-note" }, `${left[1]} | ${right[1]}`);
  const move = () => {
    over.style.clipPath = `inset(0 ${100 - border.value}% 0 0)`;
    border.setAttribute("aria-valuetext", `${border.value} percent: ${left[1]}`);
    stage.style.setProperty("--border", `${border.value}%`);
  };
  const stage = make("div", { class: "kdsharp-stage" }, make("img", { src: right[0], alt: right[1] }), over);
  border.addEventListener("input", move);
  fill(el, "wipe", stage, border, said);
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    border.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    move();
  };
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
  move();
}

export default { render };
