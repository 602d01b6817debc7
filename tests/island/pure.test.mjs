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
const { generator } = await web("random");
const { numberOf, said } = await web("predict");
const { distance, isRight } = await web("reveal");
const { inOrder, judged, lead, moved } = await web("quiz");
const ledger = await web("ledger");
const { termOf } = await web("terms");
const { diary, lessonOf } = await web("diary");
const shake = await web("shake");
const { verdict } = await web("which");
const { offset } = await web("loupe");

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

test("what a reader did is kept, listed and forgotten; a browser that keeps nothing remembers as long as the page", () => {
  assert.equal(store.recall("a", "none"), "none");
  assert.equal(store.keep("a", 1), false);
  assert.equal(store.recall("a", "none"), 1);
  assert.deepEqual(store.everything(), { a: 1 });
  store.forgetEverything();
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
  const side = 7, k = 3, random = generator(3);
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

test("a number is read with a point or a comma, and nothing else is one", () => {
  assert.deepEqual(["0.5", " 1,5 ", "-3", "−3", "1e-4", ".5"].map(numberOf), [0.5, 1.5, -3, -3, 1e-4, 0.5]);
  assert.deepEqual(["1,088", "-12,345,678.5", "0,125", "1,08"].map(numberOf), [1088, -12345678.5, 0.125, 1.08]);
  assert.deepEqual(["", "many", "1.2.3", "5 dB", "0x10"].map(numberOf), [null, null, null, null, null]);
  assert.equal(said(33.333333, "dB"), "33.33 dB");
  assert.equal(said(0, ""), "0");
  assert.equal(said("too wide", null), "too wide");
});

test("a number is right within a distance or a factor, a choice word for word", () => {
  const [near, times] = [{ within: 0.5, factor: null, unit: "dB" }, { within: null, factor: 2, unit: "" }];
  assert.ok(isRight(30.5, 30, near) && isRight(29.5, 30, near) && !isRight(30.51, 30, near));
  assert.ok(isRight(50, 100, times) && isRight(200, 100, times) && !isRight(49, 100, times));
  assert.ok(isRight(0, 0, times) && !isRight(-1, 1, times) && isRight(-1, -1.5, times));
  assert.ok(isRight("a", "a", { choices: ["a", "b"] }) && !isRight("b", "a", { choices: ["a", "b"] }));
  assert.equal(distance(31, 30, near), "1 dB too high");
  assert.equal(distance(10, 94.1, { ...near, unit: "%" }), "84.1 percentage points too low");
  assert.equal(distance(10, 40, times), "4 times too small");
  assert.equal(distance(-40, -10, times), "4 times too large");
  assert.equal(distance(-1, 1, times), "2 too low");
});

test("a lesson's name is in its address", () => {
  assert.equal(lessonOf("/book/lessons/05_known_blur.html"), "05_known_blur");
  assert.equal(lessonOf("/lessons/05_known_blur?x#y"), "05_known_blur");
  assert.equal(lessonOf("/"), "");
});

test("a hand that lingers leaves more places there, and the path's mean is in the middle", () => {
  const path = shake.evenly([[0, 0, 0], [1, 0, 900], [9, 0, 1000]], 101);
  assert.equal(path.length, 101);
  assert.ok(path.filter(([x]) => x - path[0][0] <= 1).length >= 90);
  assert.ok(Math.abs(path.reduce((sum, [x]) => sum + x, 0)) < 1e-9);
  assert.deepEqual(shake.evenly([[3, 4, 7]], 5), Array(5).fill([0, 0])); // a hand that holds still
});

test("a path's spot has sum 1, and a slide is as wide as itself", () => {
  const slide = shake.evenly([[0, 0, 0], [12, 0, 100]], 256);
  assert.ok(Math.abs(shake.splat(slide, 32).reduce((a, b) => a + b) - 1) < 1e-12);
  assert.ok(Math.abs(shake.spread(slide) - 12) < 0.1);
});

test("an order counts the neighbours that follow each other, and moves inside its ends", () => {
  assert.deepEqual([[0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 3, 0], [0, 2, 1, 3]].map(inOrder), [3, 0, 2, 0]);
  assert.deepEqual(moved([5, 6, 7], 0, 1), [6, 5, 7]);
  assert.deepEqual(moved([5, 6, 7], 0, -1), [5, 6, 7]);
  assert.deepEqual(moved([5, 6, 7], 2, 1), [5, 6, 7]);
});

test("a wrong number is told its slip by name, or which way it is off", () => {
  const facts = { number: 30, within: 0.1, why: "yes", unit: "dB", slips: [[-30, "the sign"], [60, "twice"]] };
  assert.deepEqual(judged(30.1, facts), { right: true, why: "yes" });
  assert.deepEqual(judged(-30, facts), { right: false, why: "the sign" });
  assert.deepEqual(judged(59.95, facts), { right: false, why: "twice" });
  assert.deepEqual(judged(31, facts), { right: false, why: "Too high. It is right within 0.1 dB." });
  assert.deepEqual(judged(2, { ...facts, within: 0 }), { right: false, why: "Too low." });
});

const notes = { expected: "What I expected", saw: "What I saw" };
const locked = (sure, right) => ({ kind: "prediction", state: "locked", question: "How much?", unit: "dB", answer: 3, sure, measured: 4, right });
const lessons = {
  "05_b": { p: locked(75, true), q: locked(75, false), r: { kind: "prediction", state: "open", question: "Which?" } },
  "01_a": {
    note: { kind: "note", saw: "rings" },
    x: { kind: "exercise", state: "passed", words: "ok." }, y: { kind: "exercise", state: "open", words: "no." },
    k: { kind: "question", right: true, question: "Why?", tries: 2 },
    b: { kind: "blind", state: "done", question: "Which one?", right: 4, count: 6 },
  },
};

test("a ledger sorts what a store holds by lesson", () => {
  const kept = { "ledger:05_b:prediction:1": { a: 1 }, "checklist:x": [], "ledger:01_a:note": { b: 2 } };
  assert.deepEqual(ledger.byLesson(kept), { "05_b": { "prediction:1": { a: 1 } }, "01_a": { note: { b: 2 } } });
});

test("calibration counts how often each certainty was right, of what was measured", () => {
  const found = ledger.calibration({ ...lessons, "02_c": { s: { ...locked(95), right: undefined } } });
  assert.deepEqual(found.map(({ sure, count, right }) => [sure, count, right]), [[25, 0, 0], [50, 0, 0], [75, 2, 1], [95, 0, 0]]);
});

test("a report has every lesson in order, and what is still open", () => {
  const text = ledger.markdown(lessons, notes, "2026-01-02");
  assert.ok(text.indexOf("## 01_a") < text.indexOf("## 05_b"));
  assert.match(text, /\| 75 % \| 2 \| 1 \|/);
  assert.match(text, /\*\*What I saw\.\*\* rings/);
  assert.match(text, /- Prediction\. How much\? Mine: 3 dB \(75 % sure\); measured 4 dB: right\.\n/);
  assert.match(text, /- Question\. Why\? Right after 2 tries\./);
  assert.match(text, /- Blind test\. Which one\? Found in 4 of 6\./);
  assert.deepEqual(["01_a", "05_b"].map((name) => ledger.counted(lessons[name]).blind), ["4 of 6 found", ""]);
  const open = text.split("## Still open")[1];
  assert.match(open, /- 05_b: Prediction: Which\?/);
  assert.match(open, /- 01_a: Exercise, the check says: no\./);
  assert.match(open, /- 01_a: Note: What I expected\n/);
  assert.ok(!open.includes("01_a: Note: What I saw"));
  assert.match(ledger.markdown({}, notes, ""), /Nothing of what I have met/);
  assert.equal(JSON.parse(ledger.json(lessons, notes, "x"))["still open"]["05_b"].length, 3);
});

test("a report tells predictions in the order in which she met them, whatever the order of the store", () => {
  const asked = (question, met) => ({ ...locked(75, true), question, met });
  const text = ledger.markdown({ "05_b": { a: asked("Last?", 9), b: asked("First?", 3), c: asked("Next?", 7) } }, notes, "");
  assert.deepEqual(text.match(/First\?|Next\?|Last\?/g), ["First?", "Next?", "Last?"]);
});

test("a diary notes when an entry was met, and keeps that when it changes", (t) => {
  t.mock.method(performance, "now", () => 5);
  globalThis.dispatchEvent ??= () => true;
  const kept = {}, lines = diary({ get: () => ({ lesson: "05_b", kept }), send: () => {} });
  lines.keep("p", { state: "open" });
  t.mock.restoreAll();
  lines.keep("p", { state: "locked" });
  assert.deepEqual(kept.p, { state: "locked", met: performance.timeOrigin + 5 });
});

test("a verdict stands before a reason once, and never lacks where the reason begins with another", () => {
  const seen = [[true, "Right: so."], [true, "No, nothing."], [false, "No."], [false, "Yes, but."], [true, "Sure."], [null, "Write."]];
  assert.deepEqual(seen.map(([right, why]) => lead(right, why)), ["", "Right. ", "", "Not yet. ", "Right. ", ""]);
});

test("a link to a word of the glossary is one", () => {
  assert.deepEqual(termOf("http://h/b/glossary.html#term-noise-gain"), { page: "http://h/b/glossary.html", name: "term-noise-gain" });
  assert.equal(termOf("http://h/b/glossary.html"), null);
  assert.equal(termOf(undefined), null);
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

test("a count says what guessing would have done, whichever way it lies", () => {
  const six = [1, 63 / 64, 57 / 64, 42 / 64, 22 / 64, 7 / 64, 1 / 64];
  assert.match(verdict(6, six), /6 or more of 6 in 1\.6 % .* can tell them apart, on these crops/);
  assert.match(verdict(5, six), /10\.9 % .* no proof that you see a difference, nor that there is none: with 6 crops it takes 6 \(1\.6 %\)/);
  assert.match(verdict(0, six), /100\.0 % .* take the one for the other/);
  assert.match(verdict(1, [1, 0.75, 0.25]), /with 2 crops nothing could prove it/); // not even both are rare
});

test("a loupe has the place that it shows in its middle", () => {
  assert.deepEqual(offset(0, 0, 200, 3), [100, 100]);
  assert.deepEqual(offset(50, 20, 200, 3), [-50, 40]);
});

const flat = (light, side = 20) => ({ rgb: new Uint8Array(side * side * 3).fill(light), width: side, height: side });
const HAND = [[-1, 0, 0.25], [0, 0, 0.5], [2, 1, 0.25]];

test("a hand that shakes leaves what is flat, moves light along its path, and works in strips", () => {
  assert.ok(photo.shaken(flat(137), HAND).every((value) => value === 137));
  const star = flat(0);
  star.rgb.fill(255, (9 * 20 + 9) * 3, (9 * 20 + 10) * 3);
  const out = photo.shaken(star, HAND), at = (x, y) => out[(y * 20 + x) * 3];
  assert.deepEqual([at(8, 9), at(9, 9), at(11, 10), at(10, 9)], [137, 188, 137, 0]); // a quarter and a half of the light
  const strips = [...photo.shaken(star, HAND, 0, 7), ...photo.shaken(star, HAND, 7, 20)];
  assert.deepEqual(strips, [...out]);
  assert.equal(photo.decibels(flat(10).rgb, flat(10).rgb), Infinity);
  assert.ok(Math.abs(photo.decibels(flat(0).rgb, flat(255).rgb)) < 1e-12);
});
