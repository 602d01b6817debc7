// Pictures as planes of numbers in [0, 1]: one plane where all is grey, else red, green and blue.
import { make } from "./make.mjs";

const clip = (value) => Math.min(1, Math.max(0, value));

/** What a file of 8 bits a channel holds of a plane. */
export const file = (plane) => plane.map((value) => Math.floor(255 * clip(value) + 0.5) / 255);

/** Peak signal-to-noise ratio in dB, peak 1, over all planes of what a file would hold; Infinity where both are alike. */
export function psnr(planes, truth) {
  let sum = 0, count = 0;
  planes.forEach((plane, c) => {
    file(plane).forEach((value, k) => (sum += (value - truth[c][k]) ** 2));
    count += plane.length;
  });
  return sum < count * 1e-20 ? Infinity : 10 * Math.log10(count / sum);
}

/** The middle square of what a canvas can draw, what is transparent on white, as planes of side x side numbers. */
export function planesOf(source, side) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: side, height: side });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const { width, height } = source, least = Math.min(width, height);
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, side, side);
  context.drawImage(source, (width - least) / 2, (height - least) / 2, least, least, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  const channel = (c) => Float64Array.from({ length: side * side }, (_, k) => data[4 * k + c] / 255);
  const [red, green, blue] = [0, 1, 2].map(channel);
  const grey = red.every((value, k) => value === green[k] && value === blue[k]);
  return grey ? [red] : [red, green, blue];
}

/** The planes of a picture at an address. */
export async function load(address, side) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return planesOf(image, side);
}

/** Draw planes into a canvas, one pixel for each number. */
export function paint(canvas, planes, side) {
  Object.assign(canvas, { width: side, height: side });
  const context = canvas.getContext("2d"), shown = context.createImageData(side, side);
  for (let k = 0; k < side * side; k++) {
    for (let c = 0; c < 3; c++) shown.data[4 * k + c] = 255 * clip(planes[c % planes.length][k]) + 0.5;
    shown.data[4 * k + 3] = 255;
  }
  context.putImageData(shown, 0, 0);
}

/** A score as a sentence has it. */
export const decibels = (value) => (value === Infinity ? "identical to the truth" : `${value.toFixed(2)} dB`);

/** A figure: its title, a canvas, words below, and what else; `{ canvas, words, figure }`. */
export function shot(title, ...below) {
  const canvas = make("canvas", { width: 256, height: 256, role: "img", "aria-label": title }), words = make("span");
  return { canvas, words, figure: make("figure", {}, make("b", {}, title), canvas, make("figcaption", {}, words), ...below) };
}

/** Fill a figure with planes and words. */
export function showShot({ canvas, words, figure }, planes, side, text) {
  paint(canvas, planes, side);
  words.textContent = text;
  canvas.setAttribute("aria-label", `${figure.firstChild.textContent}: ${text}`);
}
