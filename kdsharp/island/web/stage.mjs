// All explorers of the course below each other; for a lecture hall one at a time, as large as the screen.
import dials from "./dials.mjs";
import digits from "./digits.mjs";
import explorer from "./explorer.mjs";
import { PageModel } from "./islands.mjs";
import kernel from "./kernel.mjs";
import { make } from "./make.mjs";
import shake from "./shake.mjs";
import stripes from "./stripes.mjs";

const MODULES = { dials, digits, explorer, kernel, shake, stripes };
const KEYS = "Keys: f full screen; n or page down the next explorer, p or page up the one before; escape ends it.";

/** What a key asks for; letters that she types into a field ask for nothing. */
export function wish(key, types) {
  if (key === "PageDown" || (key === "n" && !types)) return "next";
  if (key === "PageUp" || (key === "p" && !types)) return "before";
  return key === "f" && !types ? "full" : null;
}

function render({ model, el }) {
  const panes = model.get("facts").explorers.map(({ lesson, module, facts }) => {
    const holder = make("div");
    return { holder, module, facts, pane: make("section", { class: "kdsharp-pane", "aria-label": lesson }, make("h2", {}, lesson), holder) };
  });
  const count = make("span", { class: "kdsharp-count", "aria-live": "polite" });
  const buttons = [["before", "Before"], ["next", "Next"], ["full", "Full screen"]].map(([name, text]) => {
    const button = make("button", { type: "button" }, text);
    button.addEventListener("click", () => act(name));
    return button;
  });
  let at = 0;

  const run = async (each) => {
    if (each.begun) return;
    each.begun = true;
    let { facts } = each;
    try {
      if (typeof facts === "string") facts = await (await fetch(facts)).json();
    } catch {
      each.begun = false; // it is asked for again when it is shown again
      each.holder.replaceChildren(make("p", { class: "kdsharp-note", role: "alert" }, "This explorer did not come: is the server still running? It is asked for again when you come back to it."));
      return;
    }
    await MODULES[each.module].render({ model: new PageModel({ facts, answer: {} }), el: each.holder });
  };
  const isFull = () => document.fullscreenElement === el;
  const fit = () => {
    const { pane } = panes[at];
    for (const each of panes) each.pane.style.zoom = "";
    if (isFull()) pane.style.zoom = Math.max(1, Math.min(el.clientWidth / pane.offsetWidth, (el.clientHeight - 60) / pane.offsetHeight));
  };
  const show = async () => {
    panes.forEach(({ pane }, number) => pane.classList.toggle("kdsharp-current", number === at));
    count.textContent = `${at + 1} of ${panes.length}: ${panes[at].pane.ariaLabel}`;
    await run(panes[at]);
    if (isFull()) setTimeout(fit, 50); // its pictures have their size by then
    else panes[at].pane.scrollIntoView({ block: "start" });
  };
  const act = (name) => {
    if (name === "full") {
      if (isFull()) document.exitFullscreen();
      else el.requestFullscreen();
      return;
    }
    at = Math.min(panes.length - 1, Math.max(0, at + (name === "next" ? 1 : -1)));
    show();
  };
  const pressed = (event) => {
    const types = event.target.matches?.("input:not([type=range], [type=checkbox]), textarea, select");
    const name = event.ctrlKey || event.metaKey || event.altKey ? null : wish(event.key, types);
    if (name === null) return;
    event.preventDefault();
    event.stopPropagation();
    act(name);
  };
  const changed = () => {
    el.classList.toggle("kdsharp-presenting", isFull());
    show();
    if (!isFull()) fit();
  };
  const near = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) if (isIntersecting) run(panes.find(({ pane }) => pane === target));
  }, { rootMargin: "50%" });

  el.classList.add("kdsharp-island", "kdsharp-stage-of-all");
  el.replaceChildren(make("p", { class: "kdsharp-bar" }, ...buttons, count), make("p", { class: "kdsharp-note" }, KEYS), ...panes.map(({ pane }) => pane));
  for (const { pane } of panes) near.observe(pane);
  document.addEventListener("keydown", pressed, true); // sliders keep their keys to themselves
  document.addEventListener("fullscreenchange", changed);
  addEventListener("resize", fit);
  panes[0].pane.classList.add("kdsharp-current");
  return () => {
    document.removeEventListener("keydown", pressed, true);
    document.removeEventListener("fullscreenchange", changed);
    removeEventListener("resize", fit);
    near.disconnect();
  };
}

export default { render };
