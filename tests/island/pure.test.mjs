// The functions of the islands that touch no page; run by `node --test`.
import assert from "node:assert/strict";
import { test } from "node:test";

const web = (name) => import(`../../kdsharp/island/web/${name}.mjs`);
const { place, neighbours } = await web("sliders");
const { count, markdown } = await web("checklist");
const photo = await web("photo");
const { fade, tiles } = photo;
const { crc } = await web("png");
const { PageModel } = await web("islands");
const store = await web("store");
const kernel = await web("kernel");

test("a position has its place in a list that runs over the last slider fastest", () => {
  const seen = [];
  for (let a = 0; a < 3; a++) for (let b = 0; b < 4; b++) seen.push(place([a, b], [3, 4]));
  assert.deepEqual(seen, [...Array(12).keys()]);
});

test("neighbours lie one step away along one slider, inside", () => {
  assert.deepEqual(neighbours([0, 3], [2, 4]), [[1, 3], [0, 2]]);
  assert.equal(neighbours([1, 1, 1], [3, 3, 3]).length, 6);
});

const list = { title: "Mine", items: [["Data", "Named?", 3], ["Data", "Split?", 3], ["Claims", "Shown?", 15]] };
const answer = (held, note = "") => ({ held, note });

test("a checklist counts what holds and names the parts that are open", () => {
  assert.equal(count(list, [answer(true), answer(false), answer(true)]), "2 of 3; still open in: Data");
  assert.equal(count(list, [answer(true), answer(true), answer(true)]), "3 of 3; complete");
});

test("a checklist becomes Markdown with ticks and notes", () => {
  const text = markdown(list, [answer(true, " page 2 "), answer(false), answer(false, "no")]);
  assert.match(text, /^# Mine\n\n1 of 3\n\n## Data\n\n- \[x\] Named\? \(lesson 03\): page 2\n- \[ \] Split\? \(lesson 03\)\n/);
  assert.match(text, /## Claims\n\n- \[ \] Shown\? \(lesson 15\): no\n$/);
});

test("tiles cover a photo, and their weights let each fade into the next", () => {
  const facts = { tile: 8, overlap: 4 }, [width, height] = [21, 10];
  const sum = new Float64Array(width * height);
  for (const { top, left, h, w } of tiles(width, height, facts)) {
    assert.ok(top >= 0 && left >= 0 && top + h <= height && left + w <= width);
    for (let v = 0; v < h; v++) {
      for (let u = 0; u < w; u++) {
        const at = (top + v) * width + left + u, weight = fade(v, top, facts.overlap) * fade(u, left, facts.overlap);
        sum[at] += weight * (1 - sum[at]); // as sharpen() mixes one tile after the other
      }
    }
  }
  assert.ok(sum.every((total) => Math.abs(total - 1) < 1e-12));
  assert.equal(fade(0, 0, 4), 1);
  assert.ok(fade(0, 4, 4) === 0 && fade(7, 4, 4) === 1);
});

test("a page's model tells who listens, and sends nowhere", () => {
  const model = new PageModel({ facts: 1 }), heard = [];
  model.on("change:answer", () => heard.push(model.get("answer")));
  model.set("facts", 2);
  model.set("answer", 3);
  model.send({});
  assert.deepEqual([model.get("facts"), heard], [2, [3]]);
});

test("what a reader did is kept, listed and forgotten; a browser that keeps nothing is no error", () => {
  assert.equal(store.keep("a", 1), false);
  assert.equal(store.recall("a", "none"), "none");
  assert.deepEqual(store.everything(), {});
  const kept = new Map([["another site's", "1"]]);
  globalThis.localStorage = new Proxy({
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => kept.set(name, text),
    removeItem: (name) => kept.delete(name),
  }, { ownKeys: () => [...kept.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) });
  assert.equal(store.keep("a", { b: [1] }), true);
  assert.deepEqual(store.recall("a"), { b: [1] });
  assert.deepEqual(store.everything(), { a: { b: [1] } });
  store.forgetEverything();
  assert.deepEqual([...kept.keys()], ["another site's"]);
  delete globalThis.localStorage;
});

test("stripes are their own inverse, and a dot is all patterns alike", () => {
  const one = Float64Array.from({ length: 25 }, (_, i) => Math.sin(i * i));
  kernel.stripes(kernel.stripes(one, 5), 5).forEach((value, i) => assert.ok(Math.abs(value - one[i]) < 1e-12));
  const dot = new Float64Array(25);
  dot[0] = 1;
  kernel.stripes(dot, 5).forEach((value) => assert.ok(Math.abs(value - 0.2) < 1e-12));
});

test("a gradient is what the error changes by", () => {
  const side = 7, k = 3, random = kernel.generator(3);
  const input = Float64Array.from({ length: side * side }, random), target = Float64Array.from({ length: 25 }, random);
  const weights = Float64Array.from({ length: 9 }, random), gradient = new Float64Array(9);
  const error = (kernels) => {
    const answer = kernel.convolve(input, side, kernels, k);
    return answer.reduce((sum, value, i) => sum + (value - target[i]) ** 2, 0) / 25;
  };
  const told = kernel.addGradient(gradient, input, side, kernel.convolve(input, side, weights, k), target, k, 1);
  assert.ok(Math.abs(told - error(weights)) < 1e-12);
  gradient.forEach((value, i) => {
    const more = weights.with(i, weights[i] + 1e-6);
    assert.ok(Math.abs((error(more) - told) / 1e-6 - value) < 1e-4);
  });
});

test("a dot has a gain of 1 at every frequency, a mean of neighbours less at high ones", () => {
  const dot = new Float64Array(9).with(4, 1);
  assert.deepEqual(kernel.gains(dot, 3, 4), [1, 1, 1, 1]);
  const mean = kernel.gains(new Float64Array(9).fill(1 / 9), 3, 2);
  assert.ok(Math.abs(mean[0] - 1) < 1e-12 && Math.abs(mean[1] + 1 / 3) < 1e-12);
});

test("a Gaussian of weights sums to 1, and a place beyond the edge is reflected or, where too little is there, repeated", () => {
  const line = photo.gaussian(1.5);
  assert.equal(line.length, 13);
  assert.ok(Math.abs(line.reduce((a, b) => a + b) - 1) < 1e-12);
  assert.deepEqual([-2, -1, 0, 4, 5, 6].map((at) => photo.inside(at, 5, 2)), [2, 1, 0, 4, 3, 2]);
  assert.deepEqual([-2, 6].map((at) => photo.inside(at, 5, 9)), [0, 4]);
});

test("mixing and difference stay within bytes, and a flat photo stays flat under every filter", () => {
  assert.deepEqual([...photo.mix([100, 100, 0], [200, 90, 255], 1.5)], [250, 85, 255]);
  assert.deepEqual([...photo.difference([100, 100, 0], [110, 100, 255], 4)], [168, 128, 255]);
  const flat = new Uint8Array(20 * 20 * 3).fill(77);
  assert.deepEqual(photo.filters.unsharp(flat, 20, 20, { radius: 2, amount: 2 }), flat);
  assert.deepEqual(photo.filters.laplacian(flat, 20, 20, { neighbours: 8, amount: 2 }), flat);
});

test("a view is the mean of blocks, and a PNG's checksum is the known one", () => {
  const rgb = Uint8Array.from([0, 0, 0, 10, 20, 30, 20, 40, 60, 30, 60, 90]);
  assert.deepEqual([...photo.reduced({ rgb, width: 2, height: 2 }, 2).rgb], [15, 30, 45]);
  assert.equal(crc(new TextEncoder().encode("IEND")), 0xae426082);
});
