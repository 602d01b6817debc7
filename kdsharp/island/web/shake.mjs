// Shake it yourself: her path over a field is the point spread function of a photo, blurred and undone in the page.
import { multiply, picture, spectrum } from "./fourier.mjs";
import { fill, make } from "./make.mjs";
import { decibels, file, load, planesOf, psnr, shot, showShot } from "./planes.mjs";
import { sliderRows } from "./sliders.mjs";

const STEPS = 256;
/** Where the stars stand, as parts of the side, and how bright they are. */
const STARS = [[0.2, 0.18, 1], [0.72, 0.25, 0.8], [0.45, 0.5, 1], [0.84, 0.62, 0.5], [0.2, 0.74, 0.6], [0.62, 0.84, 0.9]];

/** A path of `[x, y, milliseconds]` as `count` places at equal times, whose mean is (0, 0): a hand that lingers counts. */
export function evenly(points, count = STEPS) {
  const [begin, end] = [points[0][2], points.at(-1)[2]], found = [];
  let next = 0;
  for (let n = 0; n < count; n++) {
    const time = begin + ((end - begin) * n) / Math.max(1, count - 1);
    while (next < points.length - 2 && points[next + 1][2] < time) next++;
    const [x, y, from] = points[next], [toX, toY, to] = points[Math.min(next + 1, points.length - 1)];
    const part = to > from ? Math.min(1, (time - from) / (to - from)) : 0;
    found.push([x + part * (toX - x), y + part * (toY - y)]);
  }
  return centred(found);
}

/** A path moved so that its mean is (0, 0): the photo is blurred and stays where it is. */
export function centred(path) {
  const mean = [0, 1].map((axis) => path.reduce((sum, place) => sum + place[axis], 0) / path.length);
  return path.map((place) => place.map((value, axis) => value - mean[axis]));
}

/** The point spread function of a path in pixels: side x side, sum 1, its middle at pixel 0; borders wrap around. */
export function splat(path, side) {
  const psf = new Float64Array(side * side), wrap = (k) => ((k % side) + side) % side;
  for (const [x, y] of path) {
    const column = Math.floor(x), row = Math.floor(y), right = x - column, down = y - row;
    for (const [v, weightY] of [[row, 1 - down], [row + 1, down]]) {
      for (const [u, weightX] of [[column, 1 - right], [column + 1, right]]) {
        psf[wrap(v) * side + wrap(u)] += (weightX * weightY) / path.length;
      }
    }
  }
  return psf;
}

/** How long a straight slide would have to be to spread as widely, in pixels. */
export function spread(path) {
  return Math.sqrt((12 * path.reduce((sum, [x, y]) => sum + x * x + y * y, 0)) / path.length);
}

/** What a soft lens does to each frequency: its spot is a Gaussian of `sigma` pixels (lesson 02). */
export function lens(sigma, side) {
  const square = (k) => ((k < side / 2 ? k : k - side) / side) ** 2;
  return Float64Array.from({ length: side * side }, (_, k) =>
    Math.exp(-2 * (Math.PI * sigma) ** 2 * (square(k % side) + square(Math.floor(k / side)))));
}

/** What path and lens together do to each frequency. */
export function camera(path, sigma, side) {
  const { re, im } = spectrum(splat(path, side), side), soft = lens(sigma, side);
  return { re: re.map((value, k) => value * soft[k]), im: im.map((value, k) => value * soft[k]) };
}

/** A filter's gain from what the blur does to each frequency: `scale(|P|^2) conj(P)`. */
function undoing({ re, im }, scale) {
  const scales = re.map((value, k) => scale(value * value + im[k] * im[k]));
  return { re: re.map((value, k) => scales[k] * value), im: im.map((value, k) => -scales[k] * value) };
}

/** `1 / P`. Where the blur left nothing at all there is nothing to divide. */
export const inverse = (blur) => undoing(blur, (power) => (power < 1e-24 ? 0 : 1 / power));

/** Wiener's gain, `(1 + ratio) conj(P) / (|P|^2 + ratio)`: 1 at frequency 0, so that the mean is kept. */
export const wiener = (blur, ratio) => undoing(blur, (power) => (1 + ratio) / (power + ratio));

/** Each plane with its spectrum multiplied by a gain. */
export const filter = (planes, gain, side) => planes.map((plane) => picture(multiply(spectrum(plane, side), gain), side));

function starsOf(side) {
  const plane = new Float64Array(side * side);
  for (const [x, y, light] of STARS) plane[Math.round(y * side) * side + Math.round(x * side)] = light;
  return plane;
}

/** The field that a path is drawn in by mouse, pen or finger; `drawn(path, done)` gets `[x, y, milliseconds]` in pixels. */
function field(canvas, pixels, drawn) {
  const context = canvas.getContext("2d"), { width } = canvas, scale = width / pixels;
  let points = null;
  const draw = (path) => {
    const style = getComputedStyle(canvas);
    context.clearRect(0, 0, width, width);
    context.lineWidth = 3;
    context.lineJoin = context.lineCap = "round";
    context.strokeStyle = style.getPropertyValue("--mark") || "#1a6fb5";
    context.beginPath();
    for (const [x, y] of path) context.lineTo(width / 2 + x * scale, width / 2 + y * scale);
    if (path.length === 1) context.lineTo(width / 2 + path[0][0] * scale + 0.1, width / 2 + path[0][1] * scale);
    context.stroke();
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect(), reach = pixels / 2;
    const at = (value, size) => Math.min(reach, Math.max(-reach, (value / size - 0.5) * pixels));
    return [at(event.clientX - box.left, box.width), at(event.clientY - box.top, box.height), event.timeStamp];
  };
  const end = () => {
    if (!points) return;
    const path = points;
    points = null;
    drawn(path, true);
  };
  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    points = [place(event)];
    draw(points);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!points) return;
    const all = event.getCoalescedEvents?.() ?? [];
    points.push(...(all.length ? all : [event]).map(place));
    draw(points);
    drawn(points, false);
  });
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, end);
  return draw;
}

async function render({ model, el }) {
  const facts = model.get("facts"), { side } = facts;
  const hand = shot("Your hand"), stars = shot("Stars"), taken = shot("The photo, as taken");
  const photos = make("select", {}, ...Object.keys(facts.photos).map((name) => make("option", {}, name)));
  const mine = make("option", { value: "", hidden: true });
  photos.append(mine);
  let hers = null; // the planes of her own photo
  const own = make("input", { type: "file", accept: "image/*" });
  const ready = Object.keys(facts.presets).map((name) => make("button", { type: "button" }, name));
  const exact = make("button", { type: "button" }, "undo, knowing the path");
  const guesses = facts.guesses.map((name) => make("button", { type: "button" }, name));
  const said = make("p", { role: "status" });
  const careful = sliderRows([facts.ratio], () => open("careful")), soft = sliderRows([facts.lens], () => shake(true));
  const undone = {
    exact: shot("Undo, knowing the path", make("p", {}, exact)),
    rounded: shot("Save as 8 bits, and undo", make("p", {}, "What does the rounding do? ",
      make("span", { class: "kdsharp-row" }, ...guesses))),
    careful: shot("8 bits, undone with care", ...careful.rows),
  };
  const opened = { careful: true };
  let truth, blur, blurred, guess, waiting = 0;

  const show = (one, planes, text) => showShot(one, planes, side, text);
  const draw = {
    exact: () => {
      const planes = filter(blurred, inverse(blur), side);
      show(undone.exact, planes, decibels(psnr(planes, truth)));
    },
    rounded: () => {
      const planes = filter(blurred.map(file), inverse(blur), side), found = psnr(planes, truth);
      const [none, some, all] = facts.guesses, came = found > 50 ? none : found > psnr(blurred, truth) ? some : all;
      show(undone.rounded, planes, `${decibels(found)}. You expected: ${guess}. It came out: ${came}.`);
    },
    careful: () => {
      const [ratio] = careful.values().map(Number), planes = filter(blurred.map(file), wiener(blur, ratio), side);
      show(undone.careful, planes, decibels(psnr(planes, truth)));
    },
  };
  const open = (name) => {
    opened[name] = true;
    draw[name]();
  };
  const undo = () => {
    for (const name of Object.keys(draw)) {
      if (opened[name]) draw[name]();
      else undone[name].words.textContent = "not drawn yet";
    }
  };
  let path = centred(facts.presets[ready[0].textContent]);
  const shake = (done) => {
    blur = camera(path, Number(soft.values()[0]), side);
    const trace = filter([starsOf(side)], blur, side)[0], most = trace.reduce((a, b) => Math.max(a, b), 1e-9);
    show(stars, [trace.map((value) => Math.sqrt(Math.max(0, value) / most))], "each star draws your path, bright where you lingered");
    blurred = filter(truth, blur, side);
    const score = decibels(psnr(blurred, truth)), length = spread(path);
    show(taken, blurred, score);
    if (!done) return;
    if (facts.undo) undo();
    said.textContent = length < 0.1 ? "You held still: only the lens blurs."
      : `As wide as a straight slide of ${length.toFixed(1)} pixels. As taken: ${score}.`;
    el.dataset.shaken = Number(el.dataset.shaken ?? 0) + 1;
  };
  const sketch = field(hand.canvas, facts.field, (points, done) => {
    path = evenly(points);
    cancelAnimationFrame(waiting);
    if (done) shake(true);
    else waiting = requestAnimationFrame(() => shake(false));
  });
  const change = async (planes) => {
    truth = await planes;
    shake(true);
  };
  ready.forEach((button) => button.addEventListener("click", () => {
    path = centred(facts.presets[button.textContent]);
    sketch(path);
    shake(true);
  }));
  exact.addEventListener("click", () => open("exact"));
  guesses.forEach((button) => button.addEventListener("click", () => {
    guess = button.textContent;
    open("rounded");
  }));
  photos.addEventListener("change", () => change(mine.selected ? hers : load(facts.photos[photos.value], side)));
  own.addEventListener("change", async () => {
    if (!own.files[0]) return;
    try {
      hers = createImageBitmap(own.files[0]).then((bitmap) => planesOf(bitmap, side));
      await hers;
      Object.assign(mine, { textContent: own.files[0].name, hidden: false, selected: true });
      await change(hers);
    } catch {
      said.textContent = "This file is not a photo that your browser can read; give a JPEG, PNG or WebP.";
    }
  });

  hand.canvas.classList.add("kdsharp-field");
  hand.words.textContent = `Drag here, by mouse or finger. The field is ${facts.field} pixels of the photo wide.`;
  fill(
    el, "shake", make("p", {}, make("b", {}, facts.title)),
    make("p", { class: "kdsharp-row" }, "Shake it for me: ", ...ready),
    make("p", { class: "kdsharp-row" }, make("label", {}, "photo: ", photos), make("label", {}, "or one of yours: ", own)),
    ...soft.rows, said,
    make("div", { class: "kdsharp-shots" }, hand.figure, stars.figure, taken.figure,
      ...(facts.undo ? Object.values(undone).map((each) => each.figure) : [])),
    make("p", { class: "kdsharp-note" }, `The middle of a photo is taken, ${side} pixels a side; its borders wrap around, so that a blur is ` +
      "one number for each frequency. A photo of yours stays on this computer."),
  );
  sketch(path);
  await change(load(facts.photos[photos.value], side));
}

export default { render };
