// One kernel learns to sharpen, here in the page: gradient descent in plain JavaScript, no download, no kernel of Jupyter.
import { chart, legend } from "./chart.mjs";
import { fill, make } from "./make.mjs";
import { generator, noise } from "./random.mjs";
import { sliderRows } from "./sliders.mjs";

/** The kernel applied where it fits: `input` is side x side, the answer (side - k + 1) squared. */
export function convolve(input, side, kernel, k) {
  const out = side - k + 1;
  const answer = new Float64Array(out * out);
  for (let dy = 0; dy < k; dy++) {
    for (let dx = 0; dx < k; dx++) {
      const weight = kernel[dy * k + dx];
      for (let y = 0; y < out; y++) {
        const row = (y + dy) * side + dx;
        for (let x = 0; x < out; x++) answer[y * out + x] += weight * input[row + x];
      }
    }
  }
  return answer;
}

/** Mean of 2 (answer - target) times the input that each weight saw; adds `share` of it to `gradient`. Gives the error. */
export function addGradient(gradient, input, side, answer, target, k, share) {
  const out = side - k + 1;
  const error = new Float64Array(out * out);
  let sum = 0;
  for (let i = 0; i < error.length; i++) {
    error[i] = answer[i] - target[i];
    sum += error[i] * error[i];
  }
  const scale = (2 * share) / error.length;
  for (let dy = 0; dy < k; dy++) {
    for (let dx = 0; dx < k; dx++) {
      let pull = 0;
      for (let y = 0; y < out; y++) {
        const row = (y + dy) * side + dx;
        for (let x = 0; x < out; x++) pull += error[y * out + x] * input[row + x];
      }
      gradient[dy * k + dx] += scale * pull;
    }
  }
  return sum / error.length;
}

/**
 * A kernel as its share of each pattern of stripes, and back: Hartley's transform, which is its own inverse.
 * Steps are taken there, because a blur weakens each pattern by itself: then no weight pulls against another.
 */
export function stripes(kernel, k) {
  const found = new Float64Array(k * k);
  for (let v = 0; v < k; v++) {
    for (let u = 0; u < k; u++) {
      let sum = 0;
      for (let y = 0; y < k; y++) {
        for (let x = 0; x < k; x++) {
          const angle = (2 * Math.PI * (u * x + v * y)) / k;
          sum += kernel[y * k + x] * (Math.cos(angle) + Math.sin(angle));
        }
      }
      found[v * k + u] = sum / k;
    }
  }
  return found;
}

/** A student that is one kernel, and how it is trained: `next()` takes one step. All numbers in [0, 1]. */
export class Student {
  constructor(data, { alpha, labels, noise: level, steps, seed = 1 }) {
    Object.assign(this, { data, alpha, labels, steps, level: level / 255, k: data.kernel, step: 0 });
    this.random = generator(seed);
    this.kernel = new Float64Array(this.k * this.k);
    this.kernel[(this.k * this.k - 1) / 2] = 1; // a single dot: the photo as it is
    this.mean = new Float64Array(this.kernel.length);
    this.square = new Float64Array(this.kernel.length);
    this.toTruth = this.toTeacher = 0;
  }

  /** One step of Adam on some labelled crops, and as many that have the teacher's answer alone. */
  next() {
    const { data, k, alpha } = this;
    const gradient = new Float64Array(this.kernel.length);
    this.toTruth = this.toTeacher = 0;
    for (const truth of [true, false]) {
      for (let n = 0; n < data.batch; n++) {
        const crop = Math.floor(this.random() * (truth ? this.labels : data.blurred.length));
        const input = data.blurred[crop].map((value) => value + this.level * noise(this.random));
        const answer = convolve(input, data.side, this.kernel, k);
        const share = (truth ? alpha : 1 - alpha) / data.batch;
        const target = truth ? data.sharp[crop] : data.teacher[crop];
        const error = addGradient(gradient, input, data.side, answer, target, k, share) / data.batch;
        if (truth) this.toTruth += error;
        else this.toTeacher += error;
      }
    }
    const rate = data.rate * (1 - this.step / this.steps), pull = stripes(gradient, k);
    this.step += 1;
    const move = pull.map((value, i) => {
      this.mean[i] = 0.9 * this.mean[i] + 0.1 * value;
      this.square[i] = 0.999 * this.square[i] + 0.001 * value ** 2;
      const mean = this.mean[i] / (1 - 0.9 ** this.step), square = this.square[i] / (1 - 0.999 ** this.step);
      return (rate * mean) / (Math.sqrt(square) + 1e-8);
    });
    stripes(move, k).forEach((value, i) => (this.kernel[i] -= value));
  }
}

/** Mean PSNR in dB of a kernel on the held-out crops, with noise that is the same for every kernel. */
export function score(data, kernel, level) {
  const random = generator(7);
  let sum = 0;
  data.held.forEach(([blurred, sharp]) => {
    const input = blurred.map((value) => value + (level / 255) * noise(random));
    const answer = convolve(input, data.heldSide, kernel, data.kernel);
    let error = 0;
    answer.forEach((value, i) => (error += (Math.min(1, Math.max(0, value)) - sharp[i]) ** 2));
    sum += 10 * Math.log10(answer.length / error);
  });
  return sum / data.held.length;
}

/** What a kernel does to stripes along x: its gain at `count` frequencies from 0 to half a cycle a pixel. */
export function gains(kernel, k, count) {
  const found = [];
  for (let n = 0; n < count; n++) {
    let sum = 0;
    for (let y = 0; y < k; y++) {
      for (let x = 0; x < k; x++) {
        sum += kernel[y * k + x] * Math.cos((Math.PI * n * (x - (k - 1) / 2)) / (count - 1));
      }
    }
    found.push(sum);
  }
  return found;
}

/** Bytes of a base64 text, as numbers in [0, 1], cut into crops of `size` numbers. */
export function unpack(text, size) {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const found = [];
  for (let from = 0; from < bytes.length; from += size) {
    found.push(Float64Array.from(bytes.subarray(from, from + size), (value) => value / 255));
  }
  return found;
}

/** What was stored, as the training takes it. */
export function prepare(facts) {
  const { side, heldSide, kernel } = facts, out = (side - kernel + 1) ** 2, heldOut = (heldSide - kernel + 1) ** 2;
  const sharp = unpack(facts.heldSharp, heldOut);
  return {
    side, heldSide, kernel, rate: facts.rate, batch: facts.batch,
    blurred: unpack(facts.blurred, side * side), sharp: unpack(facts.sharp, out), teacher: unpack(facts.teacher, out),
    held: unpack(facts.heldBlurred, heldSide * heldSide).map((blurred, i) => [blurred, sharp[i]]),
  };
}

function drawKernel(canvas, kernel, k) {
  const context = canvas.getContext("2d"), cell = canvas.width / k;
  const most = Math.max(...kernel.map(Math.abs)) ** 0.5;
  kernel.forEach((value, i) => {
    const share = Math.abs(value) ** 0.5 / most; // the root, or the moat would not be seen beside the centre
    const light = Math.round(255 * (1 - share));
    context.fillStyle = value >= 0 ? `rgb(255,${light},${light})` : `rgb(${light},${light},255)`;
    context.fillRect((i % k) * cell, Math.floor(i / k) * cell, cell, cell);
  });
}

function render({ model, el }) {
  const facts = model.get("facts"), data = prepare(facts), k = data.kernel, { taught } = facts;
  const names = ["alpha", "labels", "noise", "steps"];
  let student, alone, curve, running = 0;
  const { rows, values } = sliderRows(facts.sliders, () => halt() || start());
  const play = make("button", { type: "button" }, "Train"), again = make("button", { type: "button" }, "Start over");
  const bar = make("progress", { value: 0, "aria-label": "steps of the training" });
  const canvas = make("canvas", { width: 220, height: 220, role: "img", "aria-label": "the kernel" });
  const response = make("div"), losses = make("div");
  const said = make("p", { role: "status" }), table = make("p", { class: "kdsharp-scores" });

  const settings = () => Object.fromEntries(values().map((value, n) => [names[n], Number(value)]));
  const show = () => {
    const { noise: level, steps } = settings(), count = 33, tuned = facts.masks[level];
    drawKernel(canvas, student.kernel, k);
    const over = (list) => list.map((y, n) => [n / (list.length - 1), y]);
    const wanted = Array.from({ length: count }, (_, n) => Math.exp((Math.PI * n * facts.sigma) ** 2 / (2 * (count - 1) ** 2)));
    response.replaceChildren(
      make("b", {}, "Gain against frequency (0 to half a cycle a pixel; cut off at 9)"),
      chart("gain of the kernel against frequency, beside 1/G", -1, 9, [
        { kind: "kdsharp-wanted", points: over(wanted) },
        { kind: "kdsharp-mask", points: over(gains(tuned, k, count)) },
        ...(taught ? [{ kind: "kdsharp-alone", points: over(gains(alone.kernel, k, count)) }] : []),
        { kind: "kdsharp-mix", points: over(gains(student.kernel, k, count)) },
      ]),
      legend(["kdsharp-wanted", "1/G, which would undo the blur"], ["kdsharp-mask", "tuned unsharp mask"],
             ...(taught ? [["kdsharp-alone", "alone"], ["kdsharp-mix", "this mix"]] : [["kdsharp-mix", "the kernel"]])),
    );
    const root = (n) => curve.map((row) => [row[0] / steps, 255 * Math.sqrt(row[n])]);
    const top = Math.max(4, ...curve.slice(1).flatMap((row) => [255 * Math.sqrt(row[1]), 255 * Math.sqrt(row[2])]));
    losses.replaceChildren(
      make("b", {}, "Error in the training (grey levels) against steps"),
      chart("root of both squared errors against steps", 0, Math.ceil(top / 4) * 4, [
        { kind: "kdsharp-alone", points: root(1) }, ...(taught ? [{ kind: "kdsharp-mix", points: root(2) }] : []),
      ]),
      legend(["kdsharp-alone", "to the truth"], ...(taught ? [["kdsharp-mix", "to the teacher"]] : [])),
    );
    const dot = new Float64Array(k * k);
    dot[(k * k - 1) / 2] = 1;
    const own = score(data, student.kernel, level), without = score(data, alone.kernel, level);
    const [input, mask] = [dot, tuned].map((kernel) => score(data, kernel, level));
    const sum = student.kernel.reduce((a, b) => a + b, 0);
    table.textContent =
      `Held-out crops: ${taught ? `this mix ${own.toFixed(2)} dB; alone ${without.toFixed(2)}` : `the kernel ${own.toFixed(2)} dB`}; ` +
      `tuned unsharp mask ${mask.toFixed(2)}; the blurred input ${input.toFixed(2)}. The weights sum to ${sum.toFixed(2)}.`;
    bar.max = steps;
    bar.value = student.step;
    el.dataset.step = student.step;
    return { own, other: taught ? without : mask, input };
  };
  const verdict = ({ own, other, input }) => {
    const gain = own - other, rival = taught ? "the student alone" : "the tuned unsharp mask";
    const word = Math.abs(gain) < 0.05 ? `no gain over ${rival}` : `${gain > 0 ? "better" : "worse"} than ${rival}`;
    const below = own < input ? " It is below its own input: doing nothing would be better." : "";
    said.textContent = `After ${student.step} steps: ${word} (${gain >= 0 ? "+" : ""}${gain.toFixed(2)} dB).${below}`;
  };
  function start() {
    const given = settings();
    student = new Student(data, given);
    alone = taught ? new Student(data, { ...given, alpha: 1 }) : student;
    curve = [];
    show();
    said.textContent = "A single dot: the photo as it is. Predict what it becomes, then train.";
  }
  function halt() {
    cancelAnimationFrame(running);
    running = 0;
    play.textContent = "Train";
  }
  const work = () => {
    const until = performance.now() + 25;
    do {
      student.next();
      if (taught) alone.next();
      if (student.step % 5 === 1) curve.push([student.step, student.toTruth, student.toTeacher]);
    } while (performance.now() < until && student.step < student.steps);
    const scores = show();
    if (student.step < student.steps) {
      running = requestAnimationFrame(work);
      return;
    }
    halt();
    verdict(scores);
  };
  play.addEventListener("click", () => {
    if (running) {
      halt();
      verdict(show());
      return;
    }
    if (student.step >= student.steps) start();
    play.textContent = "Stop";
    said.textContent = "training";
    running = requestAnimationFrame(work);
  });
  again.addEventListener("click", () => halt() || start());
  fill(
    el, "kernel", make("p", {}, make("b", {}, facts.title)), ...(taught ? rows : rows.slice(2)), make("p", { class: "kdsharp-row" }, play, again, bar),
    said, make("div", { class: "kdsharp-side" }, make("div", {}, make("b", {}, "The kernel"), canvas,
      make("p", { class: "kdsharp-note" }, "red adds, blue takes away; colours show the root")), response, losses), table,
  );
  start();
}

export default { render };
