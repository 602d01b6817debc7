// A photo is a sum of stripes: the strongest of them added up, and the stripes of one photo laid where another has them.
import { picture, spectrum } from "./fourier.mjs";
import { fill, make } from "./make.mjs";
import { decibels, load, psnr, shot, showShot } from "./planes.mjs";
import { sliderRows } from "./sliders.mjs";

/** Where a frequency's mirror stands, which belongs to the same stripes. */
function mirror(k, side) {
  const u = k % side, v = Math.floor(k / side);
  return ((side - v) % side) * side + ((side - u) % side);
}

const length = ({ re, im }, k) => Math.hypot(re[k], im[k]);

/** The stripes of a spectrum, one place for each, the strongest first; the mean brightness is none of them. */
export function ordered(waves, side) {
  const lengths = waves.re.map((_, k) => length(waves, k)), found = [];
  for (let k = 1; k < lengths.length; k++) if (k <= mirror(k, side)) found.push(k);
  const weight = (k) => (k === mirror(k, side) ? 1 : 2) * lengths[k];
  return found.sort((a, b) => weight(b) - weight(a));
}

/** The spectrum that has only some places of another, with their mirrors. */
export function only(waves, places, side) {
  const kept = { re: new Float64Array(waves.re.length), im: new Float64Array(waves.re.length) };
  for (const place of places) {
    for (const k of [place, mirror(place, side)]) {
      kept.re[k] = waves.re[k];
      kept.im[k] = waves.im[k];
    }
  }
  return kept;
}

/** Stripes with the contrast of one photo, each where the other has its own. */
export function swapped(contrast, place) {
  const factor = contrast.re.map((_, k) => length(contrast, k) / (length(place, k) || 1));
  return { re: place.re.map((value, k) => value * factor[k]), im: place.im.map((value, k) => value * factor[k]) };
}

async function render({ model, el }) {
  const facts = model.get("facts"), { side } = facts, names = Object.keys(facts.photos);
  const planes = await Promise.all(names.map(async (name) => (await load(facts.photos[name], side))[0]));
  const waves = planes.map((plane) => spectrum(plane, side)), orders = waves.map((each) => ordered(each, side));
  const total = shot("Their sum"), last = shot("The last of them, alone"), map = shot("Where they stand");
  const photos = make("select", {}, ...names.map((name, n) => make("option", { value: n }, name)));
  const { rows, values } = sliderRows([facts.slider], () => add());
  const said = make("p", { role: "status" });

  function add() {
    const n = Number(photos.value), order = orders[n], [wish] = values();
    const count = wish === "all" ? order.length : Number(wish), kept = order.slice(0, count), newest = kept.at(-1);
    const sum = picture(only(waves[n], [0, ...kept], side), side), score = decibels(psnr([sum], [planes[n]]));
    showShot(total, [sum], side, score);
    const alone = picture(only(waves[n], [newest], side), side), most = alone.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-12);
    const [u, v] = [newest % side, Math.floor(newest / side)].map((k) => (k > side / 2 ? side - k : k));
    const text = `${(Math.hypot(u, v) / side).toFixed(3)} cycles a pixel, contrast ${(255 * most).toPrecision(2)} grey levels, shown stretched`;
    showShot(last, [alone.map((value) => 0.5 + (0.5 * value) / most)], side, text);
    const lit = new Float64Array(side * side), centre = (k) => {
      const [x, y] = [k % side, Math.floor(k / side)].map((value) => (value + side / 2) % side);
      return y * side + x;
    };
    for (const place of [0, ...kept]) for (const k of [place, mirror(place, side)]) lit[centre(k)] = 1;
    showShot(map, [lit], side, "in the spectrum: frequency 0 in the middle, the finest at the borders");
    said.textContent = `${count.toLocaleString("en")} of ${order.length.toLocaleString("en")} stripes, on the mean grey: ${score}.`;
  }

  const both = planes.map((plane, n) => {
    const other = 1 - n, one = shot(`${names[n]}'s contrasts, ${names[other]}'s places`);
    one.draw = () => showShot(one, [picture(swapped(waves[n], waves[other]), side)], side, "");
    one.words.textContent = "not drawn yet";
    return one;
  });
  const guesses = ["the photo that gave the contrasts", "the photo that gave the places"].map((words) => make("button", { type: "button" }, words));
  const verdict = make("p", { role: "status" });
  guesses.forEach((button) => button.addEventListener("click", () => {
    both.forEach((one) => one.draw());
    verdict.textContent = `You expected to see ${button.textContent}. Look: it is the one that gave the places.`;
  }));
  photos.addEventListener("change", add);
  fill(
    el, "stripes", make("p", {}, make("b", {}, facts.title)), make("p", {}, make("label", {}, "photo: ", photos)), ...rows, said,
    make("div", { class: "kdsharp-shots" }, total.figure, last.figure, map.figure),
    make("p", {}, make("b", {}, "Contrast or place?"), " Each stripe has a contrast and a place. Take the contrasts of one photo and the places " +
      "of the other. Which of the two will you see?"),
    make("p", { class: "kdsharp-row" }, ...guesses), verdict,
    make("div", { class: "kdsharp-shots" }, ...both.map((one) => one.figure)),
  );
  add();
}

export default { render };
