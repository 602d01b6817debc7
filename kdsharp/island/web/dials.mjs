// Six optimizers in one valley: one rate for all, or a dial for each.
import { fill, make, svg } from "./make.mjs";
import { sliderRows } from "./sliders.mjs";

const each = (values, change) => values.map((_, k) => change(k));

/** One step of each optimizer, with torch's own settings: `step(weights, gradient, state, rate, count)` gives the weights. */
const STEPS = {
  sgd: (w, g, state, rate) => {
    state.m = state.m ? each(w, (k) => 0.9 * state.m[k] + g[k]) : g;
    return each(w, (k) => w[k] - rate * state.m[k]);
  },
  adagrad: (w, g, state, rate) => {
    state.v = each(w, (k) => (state.v?.[k] ?? 0) + g[k] ** 2);
    return each(w, (k) => w[k] - (rate * g[k]) / (Math.sqrt(state.v[k]) + 1e-10));
  },
  rmsprop: (w, g, state, rate) => {
    state.v = each(w, (k) => 0.99 * (state.v?.[k] ?? 0) + 0.01 * g[k] ** 2);
    return each(w, (k) => w[k] - (rate * g[k]) / (Math.sqrt(state.v[k]) + 1e-8));
  },
  adadelta: (w, g, state, rate) => {
    state.v = each(w, (k) => 0.9 * (state.v?.[k] ?? 0) + 0.1 * g[k] ** 2);
    const move = each(w, (k) => (Math.sqrt((state.d?.[k] ?? 0) + 1e-6) / Math.sqrt(state.v[k] + 1e-6)) * g[k]);
    state.d = each(w, (k) => 0.9 * (state.d?.[k] ?? 0) + 0.1 * move[k] ** 2);
    return each(w, (k) => w[k] - rate * move[k]);
  },
  adam: (w, g, state, rate, count) => {
    state.m = each(w, (k) => 0.9 * (state.m?.[k] ?? 0) + 0.1 * g[k]);
    state.v = each(w, (k) => 0.999 * (state.v?.[k] ?? 0) + 0.001 * g[k] ** 2);
    return each(w, (k) =>
      w[k] - (rate * state.m[k]) / (1 - 0.9 ** count) / (Math.sqrt(state.v[k] / (1 - 0.999 ** count)) + 1e-8));
  },
  adamw: (w, g, state, rate, count) => STEPS.adam(each(w, (k) => w[k] * (1 - 0.01 * rate)), g, state, rate, count),
};

const height = ([a, b], steepness) => (a * a + steepness * b * b) / 2;

/** The places before the first step and after each; a path that passes 1,000 stands still. */
export function path(name, rate, steepness, start, steps) {
  const places = [start], state = {};
  for (let count = 1; count <= steps; count++) {
    const at = places.at(-1), [a, b] = at;
    places.push(Math.max(Math.abs(a), Math.abs(b)) > 1000 ? at : STEPS[name](at, [a, steepness * b], state, rate, count));
  }
  return places;
}

/** What became of a path: the share of the first height that is left, and whether it is down, on its way or left. */
export function fate(places, steepness, { reach, down }) {
  const left = height(places.at(-1), steepness) / height(places[0], steepness);
  const away = places.some((place) => place.some((value) => Math.abs(value) > reach));
  return { left, word: away ? "left the picture" : left <= down ? "down" : "on its way" };
}

function draw(places, steepness, view) {
  const box = svg("svg", { viewBox: `${-view} ${-view} ${2 * view} ${2 * view}`, "aria-hidden": "true" }), first = height(places[0], steepness);
  for (const part of [0.01, 0.1, 0.3, 0.6, 1]) {
    const rx = Math.sqrt(2 * part * first);
    box.append(svg("ellipse", { cx: 0, cy: 0, rx, ry: rx / Math.sqrt(steepness), class: "kdsharp-level" }));
  }
  const points = places.map(([a, b]) => `${Math.min(50, Math.max(-50, a))},${Math.min(50, Math.max(-50, -b))}`);
  box.append(svg("polyline", { points: points.join(" "), class: "kdsharp-walk" }));
  for (const point of points) {
    const [cx, cy] = point.split(",");
    box.append(svg("circle", { cx, cy, r: 0.025, class: "kdsharp-spot" }));
  }
  box.append(svg("path", { d: "M-0.07 0H0.07M0-0.07V0.07", class: "kdsharp-floor" }));
  return box;
}

function render({ model, el }) {
  const facts = model.get("facts"), { names, start, steps } = facts, best = { one: 0, six: 0 };
  const steep = sliderRows([facts.steepness], () => {
    best.one = best.six = 0;
    show();
  });
  const all = sliderRows([facts.rate], ([step]) => {
    dials.forEach((dial) => dial.set([step]));
    show();
  });
  const dials = names.map(() => sliderRows([{ ...facts.rate, label: "its rate" }], () => show()));
  const pictures = names.map(() => make("div")), words = names.map(() => make("span"));
  const said = make("p", { role: "status" });
  function show() {
    const steepness = Number(steep.values()[0]), rates = dials.map((dial) => Number(dial.values()[0]));
    const fates = names.map((name, k) => {
      const places = path(name, rates[k], steepness, start, steps), found = fate(places, steepness, facts);
      pictures[k].replaceChildren(draw(places, steepness, facts.view));
      const left = found.left > 10 ? "" : `, ${(100 * found.left).toFixed(found.left < 0.1 ? 1 : 0)} % left`;
      words[k].textContent = found.word + (found.word === "left the picture" ? "" : left);
      return found.word;
    });
    const down = fates.filter((word) => word === "down").length, one = rates.every((rate) => rate === rates[0]);
    if (one) best.one = Math.max(best.one, down);
    best.six = Math.max(best.six, down);
    said.textContent = `${one ? `One rate, ${rates[0]}` : "A dial each"}: ${down} of ${names.length} are down after ${steps} steps. ` +
      `Your best in this valley: ${best.one} with one rate, ${best.six} with any dials.`;
  }
  fill(
    el, "dials", make("p", {}, make("b", {}, facts.title)), ...steep.rows, ...all.rows, said,
    make("div", { class: "kdsharp-grid-of" }, ...names.map((name, k) =>
      make("div", { role: "group", "aria-label": name }, make("b", {}, name), words[k], pictures[k], ...dials[k].rows))),
  );
  show();
}

export default { render };
