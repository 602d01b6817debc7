// The rounds of a blind test: pictures without names, and a button for each answer, which a key presses too.
import { fill, make } from "./make.mjs";

/** A button that exchanges two pictures while it is held: what differs then jumps, at a place that the eye does not leave. */
export function exchanging(one, other) {
  const button = make("button", { type: "button" }, "Hold to exchange the two");
  let before = null;
  const hold = () => {
    if (before) return;
    before = [one.src, other.src];
    [other.src, one.src] = before;
  };
  const release = () => {
    if (before && one.src === before[1] && other.src === before[0]) [one.src, other.src] = before; // else the next round is there
    before = null;
  };
  button.addEventListener("pointerdown", hold);
  for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(end, release);
  button.addEventListener("keydown", ({ key }) => [" ", "Enter"].includes(key) && hold());
  button.addEventListener("keyup", release);
  return button;
}

/**
 * Ask the rounds from `begun` on, in `el`. A round is `[scene, system]`, or two systems whose pictures stand side by side.
 * `take(value)` gets each answer, a place in `choices`' `[value, word]`; `done()` is called after the last one.
 */
export function ask(el, { rounds, pictures, choices, width }, question, begun, take, done) {
  const single = rounds[0].length === 2;
  const shown = rounds[0].slice(1).map(() => make("img", { width, height: width }));
  const figures = shown.map((image, k) => make("figure", {}, image, ...(single ? [] : [make("figcaption", {}, choices[k][1])])));
  const count = make("p", { role: "status" }), source = (k, n) => pictures[rounds[k][n + 1]][rounds[k][0]];
  let k = begun;
  const next = () => {
    el.dataset.round = k;
    if (k === rounds.length) {
      done();
      return;
    }
    shown.forEach((image, n) => {
      image.src = source(k, n);
      image.alt = single ? `round ${k + 1}, source hidden` : `picture ${choices[n][1]} of round ${k + 1}, source hidden`;
      if (k + 1 < rounds.length) new Image().src = source(k + 1, n);
    });
    count.textContent = `Round ${k + 1} of ${rounds.length}`;
  };
  const buttons = choices.map(([value, word]) => {
    const each = make("button", { type: "button" }, single ? `${value} ${word}` : word);
    each.addEventListener("click", () => {
      take(value);
      k += 1;
      next();
    });
    return each;
  });
  const row = make("p", { class: "kdsharp-row kdsharp-choices" }, ...buttons);
  row.addEventListener("keydown", (event) => {
    const at = choices.findIndex(([value, word]) => [String(value), word].includes(event.key.toUpperCase()));
    if (at >= 0) buttons[at].click();
  });
  const exchange = single ? [] : [make("p", {}, exchanging(...shown))];
  fill(el, "eyes", make("p", {}, make("b", {}, question)), make("div", { class: "kdsharp-blind" }, ...figures), ...exchange, row, count,
    make("p", { class: "kdsharp-note" }, `The keys ${single ? "1 to 5" : "A and B"} answer too, once one of them has the focus. ` +
      "You can stop and go on later: answers stay in this browser."));
  el.dataset.stage = "asking";
  next();
  if (k === 0 && el.isConnected) buttons[0].focus({ preventScroll: true });
}
