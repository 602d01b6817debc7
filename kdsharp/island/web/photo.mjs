// What is done to a photo's bytes: pieces that fade into each other, classical filters, mixing. RGB, 3 bytes a pixel.

/** The pieces of a photo, each seen with `overlap` pixels more on every side that has them. */
export function tiles(width, height, { tile, overlap }) {
  const found = [];
  for (let y = 0; y < height; y += tile) {
    for (let x = 0; x < width; x += tile) {
      const top = Math.max(0, y - overlap), left = Math.max(0, x - overlap);
      const bottom = Math.min(height, y + tile + overlap), right = Math.min(width, x + tile + overlap);
      found.push({ top, left, h: bottom - top, w: right - left });
    }
  }
  return found;
}

/** The weight of a row or column of a piece: from 0 to 1 over the overlap, 1 where the photo begins. */
export function fade(at, before, overlap) {
  return before ? Math.min(1, Math.max(0, (at + 0.5 - overlap / 2) / overlap)) : 1;
}

/** Copy a piece out of a photo. */
export function cut({ rgb, width }, { left, top, w, h }) {
  const piece = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    const start = ((top + y) * width + left) * 3;
    piece.set(rgb.subarray(start, start + w * 3), y * w * 3);
  }
  return piece;
}

/** Lay a piece into a photo, faded at the sides that have a piece before them. */
export function lay({ rgb, width }, piece, { left, top, w, h }, overlap) {
  for (let v = 0; v < h; v++) {
    const down = fade(v, top, overlap);
    for (let u = 0; u < w; u++) {
      const weight = down * fade(u, left, overlap), to = ((top + v) * width + left + u) * 3, from = (v * w + u) * 3;
      for (let c = 0; c < 3; c++) rgb[to + c] = Math.round(rgb[to + c] + weight * (piece[from + c] - rgb[to + c]));
    }
  }
}

const clamped = (value) => Math.min(255, Math.max(0, Math.round(value)));

/** `photo + strength * (answer - photo)`, clamped to bytes. */
export function mix(photo, answer, strength) {
  const out = new Uint8ClampedArray(photo.length); // rounds, and stays within 0 and 255
  for (let i = 0; i < photo.length; i++) out[i] = photo[i] + strength * (answer[i] - photo[i]);
  return out;
}

/** The difference of two photos around mid-grey, `gain` times as strong. */
export function difference(photo, answer, gain) {
  const out = new Uint8ClampedArray(photo.length);
  for (let i = 0; i < photo.length; i++) out[i] = 128 + gain * (answer[i] - photo[i]);
  return out;
}

/** The weights of a Gaussian along one axis, as `kdsharp.kernels.gaussian` cuts them. */
export function gaussian(sigma) {
  const half = Math.max(1, Math.floor(4 * sigma + 0.5));
  const line = Array.from({ length: 2 * half + 1 }, (_, i) => Math.exp(-((i - half) ** 2) / (2 * sigma ** 2)));
  const sum = line.reduce((a, b) => a + b);
  return line.map((weight) => weight / sum);
}

/** A place beyond the edge of `size` pixels, reflected into them; where they are too few, the nearest. */
export function inside(at, size, half) {
  if (half >= size) return Math.min(size - 1, Math.max(0, at));
  return at < 0 ? -at : at >= size ? 2 * size - 2 - at : at;
}

function along(values, width, height, line, horizontal) {
  const half = (line.length - 1) / 2, out = new Float32Array(values.length), size = horizontal ? width : height;
  const mirrored = half >= Math.min(width, height) ? size : 0; // as the package: reflect in both axes, or repeat in both
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      let r = 0, g = 0, b = 0;
      for (let k = -half; k <= half; k++) {
        const place = inside((horizontal ? x : y) + k, size, Math.max(half, mirrored));
        const from = (horizontal ? y * width + place : place * width + x) * 3, weight = line[k + half];
        r += weight * values[from];
        g += weight * values[from + 1];
        b += weight * values[from + 2];
      }
      out[at] = r;
      out[at + 1] = g;
      out[at + 2] = b;
    }
  }
  return out;
}

/** `photo + amount * (photo - blur)`, as `kdsharp.filters.unsharp_mask`. */
function unsharp(rgb, w, h, { radius, amount }) {
  const line = gaussian(radius), blurred = along(along(rgb, w, h, line, true), w, h, line, false);
  return Uint8Array.from(rgb, (value, i) => clamped(value + amount * (value - blurred[i])));
}

/** `photo - amount * laplacian`, with 4 or 8 neighbours, as `kdsharp.filters.laplacian`. */
function laplacian(rgb, w, h, { neighbours, amount }) {
  const out = new Uint8Array(rgb.length);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++) {
        const here = rgb[(y * w + x) * 3 + c];
        let edge = neighbours * here;
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) {
            if ((dx || dy) && (neighbours === 8 || !dx || !dy)) {
              edge -= rgb[(inside(y + dy, h, 1) * w + inside(x + dx, w, 1)) * 3 + c];
            }
          }
        }
        out[(y * w + x) * 3 + c] = clamped(here + amount * edge);
      }
    }
  }
  return out;
}

const LIGHT = Float64Array.from({ length: 256 }, (_, k) => (k <= 0.04045 * 255 ? k / 255 / 12.92 : ((k / 255 + 0.055) / 1.055) ** 2.4));
const stored = (light) => (light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055);

/**
 * Rows `top` to `bottom` of a photo that a hand has shaken: `taps` are `[dx, dy, weight]`, the path's places in pixels
 * and how long the hand was there. Light adds up, not the numbers of the file; edges reflect, and no path is as long as
 * a photo.
 */
export function shaken({ rgb, width, height }, taps, top = 0, bottom = height) {
  const out = new Uint8Array((bottom - top) * width * 3), sum = new Float64Array(width * 3);
  const columns = taps.map(([dx]) => Int32Array.from({ length: width }, (_, x) => 3 * inside(x - dx, width, 1)));
  for (let y = top; y < bottom; y++) {
    sum.fill(0);
    taps.forEach(([, dy, weight], k) => {
      const row = 3 * width * inside(y - dy, height, 1), column = columns[k];
      for (let x = 0, to = 0; x < width; x++, to += 3) {
        const from = row + column[x];
        sum[to] += weight * LIGHT[rgb[from]];
        sum[to + 1] += weight * LIGHT[rgb[from + 1]];
        sum[to + 2] += weight * LIGHT[rgb[from + 2]];
      }
    });
    for (let k = 0, to = (y - top) * width * 3; k < sum.length; k++, to++) out[to] = clamped(255 * stored(sum[k]));
  }
  return out;
}

/** Peak signal-to-noise ratio of two photos in dB; Infinity where they are alike. */
export function decibels(photo, truth) {
  let sum = 0;
  for (let i = 0; i < photo.length; i++) sum += (photo[i] - truth[i]) ** 2;
  return sum ? 10 * Math.log10((photo.length * 255 ** 2) / sum) : Infinity;
}

/** The filters by the package's names for them: bytes, width, height and settings to bytes. */
export const filters = { unsharp, laplacian };

/** Every `step`-th pixel of every `step`-th row, each the mean of its block: a view that fits a page. */
export function reduced({ rgb, width, height }, step) {
  if (step === 1) return { rgb, width, height };
  const w = Math.floor(width / step), h = Math.floor(height / step), out = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let v = 0; v < step; v++) {
          for (let u = 0; u < step; u++) sum += rgb[((y * step + v) * width + x * step + u) * 3 + c];
        }
        out[(y * w + x) * 3 + c] = Math.round(sum / step ** 2);
      }
    }
  }
  return { rgb: out, width: w, height: h };
}

/** RGB to a canvas's RGBA. */
export function opaque(rgb, width, height) {
  const shown = new ImageData(width, height), { data } = shown;
  for (let i = 0, p = 0; p < width * height; p++, i += 3) {
    data[4 * p] = rgb[i];
    data[4 * p + 1] = rgb[i + 1];
    data[4 * p + 2] = rgb[i + 2];
    data[4 * p + 3] = 255;
  }
  return shown;
}
