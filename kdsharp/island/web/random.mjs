// Random numbers that are the same everywhere, so that a page can be compared with NumPy.

/** Random numbers in [0, 1): mulberry32. */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Noise of variance 1 that needs no logarithm: the sum of four uniform numbers, scaled. */
export const noise = (random) => (random() + random() + random() + random() - 2) * Math.sqrt(3);
