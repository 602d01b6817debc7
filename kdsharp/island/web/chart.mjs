// Charts of lines as SVG, so that they are sharp at any size and follow the page's colours.
import { make, svg } from "./make.mjs";

/**
 * A chart over [0, 1] x [low, high]. `lines`: `{ kind, points }`; `marks`: `{ kind, at: [x, y], half }`, a point with
 * its interval; `ticks`: `[[x, words], ...]` below.
 */
export function chart(label, low, high, lines, marks = [], ticks = []) {
  const box = svg("svg", { viewBox: "0 0 300 170", role: "img", "aria-label": label, class: "kdsharp-chart" });
  const place = ([x, y]) => [30 + 265 * x, 150 - (140 * (Math.min(high, Math.max(low, y)) - low)) / (high - low)];
  for (const y of [low, (low + high) / 2, high]) {
    const [, at] = place([0, y]);
    box.append(svg("line", { x1: 30, x2: 295, y1: at, y2: at, class: "kdsharp-grid" }));
    box.append(svg("text", { x: 26, y: at + 4, "text-anchor": "end" }, String(Math.round(10 * y) / 10)));
  }
  for (const [x, words] of ticks) box.append(svg("text", { x: place([x, low])[0], y: 165, "text-anchor": "middle" }, words));
  for (const { kind, points } of lines) box.append(svg("polyline", { points: points.map(place).join(" "), class: kind }));
  for (const { kind, at: [x, y], half } of marks) {
    const [cx, cy] = place([x, y]), [, top] = place([x, y + half]), [, bottom] = place([x, y - half]);
    box.append(svg("line", { x1: cx, x2: cx, y1: top, y2: bottom, class: `kdsharp-whisker ${kind}` }));
    box.append(svg("circle", { cx, cy, r: 4, class: `kdsharp-dot ${kind}` }));
  }
  return box;
}

/** Which colour is what, in words: pairs of a kind and its name. */
export const legend = (...kinds) =>
  make("p", { class: "kdsharp-legend" }, ...kinds.map(([kind, words]) => make("span", { class: kind }, `━ ${words} `)));
