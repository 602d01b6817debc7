// Where the temperature was invented: a classifier learns from another's scores, here in the page, ten times over.
import { chart, legend } from "./chart.mjs";
import { fill, make, svg } from "./make.mjs";
import { generator, noise } from "./random.mjs";
import { sliderRows } from "./sliders.mjs";

/** Probabilities of class scores (logits) divided by a temperature. */
export function softmax(scores, temperature = 1) {
  const most = Math.max(...scores), raised = scores.map((score) => Math.exp((score - most) / temperature));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((value) => value / sum);
}

/** `count` of a list without repetition: the beginning of a shuffle. */
export function draw(list, count, random) {
  const left = [...list];
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (left.length - i));
    [left[i], left[j]] = [left[j], left[i]];
  }
  return left.slice(0, count);
}

/** Scores whose best class stays and whose others change places: as soft as before, and they say nothing. */
export function shuffle(scores, random) {
  const best = scores.indexOf(Math.max(...scores)), others = scores.filter((_, i) => i !== best);
  const drawn = draw(others, others.length, random);
  return scores.map((score, i) => (i === best ? score : drawn.pop()));
}

/** A student of 64 inputs, some hidden units and 10 classes; `next()` takes one step over all its labelled digits. */
export class Pupil {
  constructor(data, { alpha, temperature, labels, shuffled, seed }) {
    const random = generator(seed), other = generator(1000 + seed);
    Object.assign(this, { data, alpha, temperature, step: 0 });
    this.picked = data.ofClass.flatMap((members) => draw(members, labels, random));
    this.soft = this.picked.map((i) => {
      const scores = data.scores[i];
      return softmax(shuffled ? shuffle(scores, other) : scores, temperature);
    });
    const weights = (count, size) => Float64Array.from({ length: count }, () => noise(random) * size);
    const { inputs, hidden, classes } = data;
    this.weights = [
      weights(inputs * hidden, Math.sqrt(2 / inputs)), new Float64Array(hidden),
      weights(hidden * classes, Math.sqrt(1 / hidden)), new Float64Array(classes),
    ];
    this.mean = this.weights.map((each) => new Float64Array(each.length));
    this.square = this.weights.map((each) => new Float64Array(each.length));
  }

  /** Hidden units and class scores of one digit. */
  answer(digit) {
    const { inputs, hidden, classes } = this.data, [into, lift, out, bias] = this.weights;
    const active = Array.from(lift), scores = Array.from(bias);
    for (let i = 0; i < inputs; i++) {
      if (digit[i] === 0) continue;
      for (let h = 0; h < hidden; h++) active[h] += digit[i] * into[i * hidden + h];
    }
    for (let h = 0; h < hidden; h++) {
      active[h] = Math.max(0, active[h]);
      for (let c = 0; c < classes; c++) scores[c] += active[h] * out[h * classes + c];
    }
    return { active, scores };
  }

  /** The gradient of `alpha CE(label) + (1 - alpha) T^2 KL(teacher || student)`, mean over the digits, and Adam. */
  next() {
    const { inputs, hidden, classes, digits, labels, rate, steps } = this.data, { alpha, temperature: T } = this;
    const pull = this.weights.map((each) => new Float64Array(each.length)), out = this.weights[2];
    this.picked.forEach((place, n) => {
      const { active, scores } = this.answer(digits[place]);
      const hard = softmax(scores), soft = softmax(scores, T);
      const error = scores.map((_, c) => {
        const truth = hard[c] - (labels[place] === c ? 1 : 0);
        return (alpha * truth + (1 - alpha) * T * (soft[c] - this.soft[n][c])) / this.picked.length;
      });
      for (let h = 0; h < hidden; h++) {
        if (active[h] === 0) continue;
        let back = 0;
        for (let c = 0; c < classes; c++) {
          back += error[c] * out[h * classes + c];
          pull[2][h * classes + c] += active[h] * error[c];
        }
        pull[1][h] += back;
        for (let i = 0; i < inputs; i++) pull[0][i * hidden + h] += digits[place][i] * back;
      }
      for (let c = 0; c < classes; c++) pull[3][c] += error[c];
    });
    const now = rate * (1 - this.step / steps);
    this.step += 1;
    this.weights.forEach((weights, k) => {
      for (let i = 0; i < weights.length; i++) {
        const mean = (this.mean[k][i] = 0.9 * this.mean[k][i] + 0.1 * pull[k][i]);
        const square = (this.square[k][i] = 0.999 * this.square[k][i] + 0.001 * pull[k][i] ** 2);
        const size = Math.sqrt(square / (1 - 0.999 ** this.step)) + 1e-8;
        weights[i] -= (now * (mean / (1 - 0.9 ** this.step))) / size;
      }
    });
  }

  /** Share of the test digits that are read right. */
  accuracy() {
    const { test, testLabels } = this.data;
    const right = test.filter((digit, n) => {
      const { scores } = this.answer(digit);
      return scores.indexOf(Math.max(...scores)) === testLabels[n];
    });
    return right.length / test.length;
  }
}

/** A whole training: the share of the test digits that one student reads right. */
export function learn(data, settings) {
  const pupil = new Pupil(data, settings);
  while (pupil.step < data.steps) pupil.next();
  return pupil.accuracy();
}

/** Mean and half-width of the 95 % interval, in percent; `t` is Student's quantile for so many values. */
export function interval(values, t) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
  return [100 * mean, (100 * t * spread) / Math.sqrt(values.length)];
}

const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));

function cut(values, size) {
  const found = [];
  for (let from = 0; from < values.length; from += size) found.push(values.slice(from, from + size));
  return found;
}

/** What was stored, as the training takes it. */
export function prepare(facts) {
  const grey = (text) => cut(Float64Array.from(bytes(text), (value) => value / 16), facts.inputs);
  const labels = [...bytes(facts.labels)];
  const ofClass = Array.from({ length: facts.classes }, (_, c) => labels.flatMap((label, i) => (label === c ? [i] : [])));
  const scores = cut(Array.from(new Float32Array(bytes(facts.scores).buffer)), facts.classes);
  return {
    ...facts, labels, ofClass, scores, digits: grey(facts.digits), test: grey(facts.test),
    testLabels: [...bytes(facts.testLabels)],
  };
}

/** A digit, and how sure the teacher is of each class at a temperature. */
function belief(data, place, temperature, shuffled) {
  const box = svg("svg", {
    viewBox: "0 0 300 110", role: "img", class: "kdsharp-chart",
    "aria-label": `a handwritten ${data.labels[place]} and the teacher's probability of each class at temperature ${temperature}`,
  });
  data.digits[place].forEach((value, i) => {
    const light = Math.round(255 * (1 - value));
    const at = { x: 2 + 10 * (i % 8), y: 12 + 10 * Math.floor(i / 8), width: 10, height: 10 };
    box.append(svg("rect", { ...at, style: `fill: rgb(${light},${light},${light})` }));
  });
  const scores = data.scores[place];
  softmax(shuffled ? shuffle(scores, generator(5)) : scores, temperature).forEach((share, c) => {
    const kind = c === data.labels[place] ? "kdsharp-bar kdsharp-mix" : "kdsharp-bar kdsharp-alone";
    box.append(svg("rect", { x: 100 + 20 * c, y: 92 - 80 * share, width: 14, height: 80 * share, class: kind }));
    box.append(svg("text", { x: 107 + 20 * c, y: 106, "text-anchor": "middle" }, String(c)));
  });
  return box;
}

function render({ model, el }) {
  const facts = model.get("facts"), data = prepare(facts), known = new Map(), tried = [];
  let running = 0, shown = 0;
  const { rows, values } = sliderRows(facts.sliders, () => halt() || show());
  const play = make("button", { type: "button" }, `Train ${facts.seeds} students`);
  const another = make("button", { type: "button" }, "Another digit");
  const bar = make("progress", { max: facts.seeds, value: 0, "aria-label": "students trained" });
  const seen = make("div"), curve = make("div"), said = make("p", { role: "status" });

  const settings = () => {
    const [alpha, temperature, labels, small] = values();
    return { alpha: Number(alpha), temperature: Number(temperature), labels: Number(labels), shuffled: small === "shuffled" };
  };
  const key = ({ alpha, temperature, labels, shuffled }) => [alpha, alpha === 1 ? 0 : temperature, labels, alpha < 1 && shuffled].join();
  const scores = (given) => known.get(key(given)) ?? [];
  const across = (temperature) => 0.04 + (0.92 * Math.log(temperature)) / Math.log(facts.hottest);
  const alone = (given) => ({ ...given, alpha: 1 });

  function show() {
    const given = settings(), most = scores(given).length;
    const place = data.ofClass[facts.example][shown % data.ofClass[facts.example].length];
    seen.replaceChildren(
      make("b", {}, `What the teacher says of a digit, at temperature ${given.temperature}`), belief(data, place, given.temperature, given.shuffled),
      make("p", { class: "kdsharp-note" }, "blue: the class that it is; red: the others, whose sizes are what a label cannot say"),
    );
    const marks = tried.filter((each) => each.labels === given.labels && each.alpha < 1 && scores(each).length > 1).map((each) => {
      const [mean, half] = interval(scores(each), facts.t);
      const kind = each.shuffled ? "kdsharp-mask" : key(each) === key(given) ? "kdsharp-mix" : "kdsharp-wanted";
      return { kind, at: [across(each.temperature), mean], half };
    });
    const [base] = interval(scores(alone(given)), facts.t);
    const lines = [{ kind: "kdsharp-wanted", points: [[0, facts.teacher], [1, facts.teacher]] }];
    if (scores(alone(given)).length) lines.push({ kind: "kdsharp-alone", points: [[0, base], [1, base]] });
    curve.replaceChildren(
      make("b", {}, "Test digits read right (%) against temperature"),
      chart("share of test digits read right against temperature", 40, 100, lines, marks,
            [1, 2, 4, 8, 20].map((temperature) => [across(temperature), `T ${temperature}`])),
      legend(["kdsharp-mix", "here"], ["kdsharp-wanted", "tried before; line: teacher"], ["kdsharp-alone", "alone"],
             ["kdsharp-mask", "shuffled"]),
    );
    bar.value = most;
    el.dataset.trained = most;
    said.textContent = most < facts.seeds ? "Predict, then train." : verdict(given);
  }
  function verdict(given) {
    const own = scores(given), without = scores(alone(given));
    const [mean, half] = interval(own, facts.t), [base] = interval(without, facts.t);
    if (given.alpha === 1) return `Alone, ${10 * given.labels} labelled digits: ${mean.toFixed(1)} ± ${half.toFixed(1)} % read right.`;
    const [gain, wide] = interval(own.map((value, i) => value - without[i]), facts.t);
    const word = Math.abs(gain) <= wide ? "no gain" : gain > 0 ? "better" : "worse";
    return `${mean.toFixed(1)} ± ${half.toFixed(1)} % read right, alone ${base.toFixed(1)} %: ${word} ` +
      `(${gain >= 0 ? "+" : ""}${gain.toFixed(1)} ± ${wide.toFixed(1)} points over ${facts.seeds} pairs of students).`;
  }
  function halt() {
    clearTimeout(running);
    running = 0;
    play.textContent = `Train ${facts.seeds} students`;
  }
  function work() {
    const given = settings();
    for (const each of [alone(given), given]) {
      const list = scores(each);
      if (list.length >= facts.seeds) continue;
      known.set(key(each), [...list, learn(data, { ...each, seed: list.length + 1 })]);
      if (!tried.some((other) => key(other) === key(each))) tried.push(each);
      show();
      if (scores(given).length < facts.seeds) {
        said.textContent = `training student ${list.length + 1} of ${facts.seeds}${each.alpha === 1 ? ", alone" : ""}`;
        running = setTimeout(work, 0);
        return;
      }
    }
    halt();
    show();
  }
  play.addEventListener("click", () => {
    if (running) {
      halt();
      show();
      return;
    }
    play.textContent = "Stop";
    running = setTimeout(work, 0);
  });
  another.addEventListener("click", () => {
    shown += 1;
    show();
  });
  fill(
    el, "digits", make("p", {}, make("b", {}, facts.title)), ...rows, make("p", { class: "kdsharp-row" }, play, another, bar),
    said, make("div", { class: "kdsharp-side" }, seen, curve),
  );
  show();
}

export default { render };
