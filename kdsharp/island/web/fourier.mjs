// The Fourier transform of a square picture whose side is a power of two, in plain JavaScript.

const plans = new Map();

/** For one length: where each number goes before the first round, and the cosines and sines of all rounds. */
function plan(length) {
  if (!plans.has(length)) {
    const bits = Math.log2(length);
    if (!Number.isInteger(bits)) throw new Error(`the side must be a power of two, found ${length}`);
    const order = Uint32Array.from({ length }, (_, k) => {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) reversed |= ((k >> bit) & 1) << (bits - 1 - bit);
      return reversed;
    });
    const angle = (k) => (2 * Math.PI * k) / length;
    plans.set(length, {
      order,
      cosine: Float64Array.from({ length: length / 2 }, (_, k) => Math.cos(angle(k))),
      sine: Float64Array.from({ length: length / 2 }, (_, k) => Math.sin(angle(k))),
    });
  }
  return plans.get(length);
}

/** One line whose numbers stand in reversed order: pairs become fours, fours become eights, until all is one. */
function combine(re, im, { cosine, sine }, sign) {
  const length = re.length;
  for (let half = 1; half < length; half *= 2) {
    const step = length / (2 * half);
    for (let start = 0; start < length; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const a = start + k, b = a + half, c = cosine[k * step], s = sign * sine[k * step];
        const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

/** Transform `{ re, im }`, side x side numbers each, in place: rows, then columns. The inverse divides by their count. */
export function transform({ re, im }, side, inverse = false) {
  const known = plan(side), lineRe = new Float64Array(side), lineIm = new Float64Array(side);
  const scale = inverse ? 1 / side : 1;
  for (const [line, step] of [[side, 1], [1, side]]) {
    for (let n = 0; n < side; n++) {
      for (let k = 0; k < side; k++) {
        lineRe[known.order[k]] = re[n * line + k * step];
        lineIm[known.order[k]] = im[n * line + k * step];
      }
      combine(lineRe, lineIm, known, inverse ? 1 : -1);
      for (let k = 0; k < side; k++) {
        re[n * line + k * step] = lineRe[k] * scale;
        im[n * line + k * step] = lineIm[k] * scale;
      }
    }
  }
}

/** The spectrum of a picture, `{ re, im }`, frequency 0 first. */
export function spectrum(plane, side) {
  const found = { re: Float64Array.from(plane), im: new Float64Array(plane.length) };
  transform(found, side);
  return found;
}

/** The picture of a spectrum, which is left as it is. */
export function picture({ re, im }, side) {
  const found = { re: Float64Array.from(re), im: Float64Array.from(im) };
  transform(found, side, true);
  return found.re;
}

/** Two spectra multiplied, frequency by frequency. */
export function multiply(a, b) {
  return {
    re: a.re.map((value, k) => value * b.re[k] - a.im[k] * b.im[k]),
    im: a.re.map((value, k) => value * b.im[k] + a.im[k] * b.re[k]),
  };
}
