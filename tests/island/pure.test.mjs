// The functions of the islands that touch no page; run by `node --test`.
import assert from "node:assert/strict";
import { test } from "node:test";

const web = (name) => import(`../../kdsharp/island/web/${name}.mjs`);
const { place, neighbours } = await web("sliders");
const { count, markdown } = await web("checklist");
const { fade, tiles } = await web("browser");
const { PageModel } = await web("islands");
const store = await web("store");

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
