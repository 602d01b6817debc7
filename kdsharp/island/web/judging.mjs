// The sums of a blind test: grades, shares, strengths and orders, with intervals that end where their scale does.

const sum = (values) => values.reduce((a, b) => a + b, 0);
const within = (value, low, high) => Math.min(high, Math.max(low, value));

/** Mean of whole numbers and its 95 % interval: `factor` is Student's for their count, `rounding` the least spread. */
export function graded(grades, { factor, rounding }, low = 1, high = 5) {
  const mean = sum(grades) / grades.length;
  const spread = Math.sqrt(sum(grades.map((grade) => (grade - mean) ** 2)) / (grades.length - 1));
  const half = (factor * Math.max(spread, rounding)) / Math.sqrt(grades.length);
  return [mean, within(mean - half, low, high), within(mean + half, low, high)];
}

/** Share of comparisons won, and Wilson's 95 % interval. */
export function share(wins, count, normal) {
  const part = wins / count, extra = normal ** 2 / count, middle = (part + extra / 2) / (1 + extra);
  const half = (normal / (1 + extra)) * Math.sqrt((part * (1 - part)) / count + extra / (4 * count));
  return [part, within(middle - half, 0, 1), within(middle + half, 0, 1)];
}

/** Bradley and Terry's strengths from `wins[i][j]`; half a win for either side of each pair keeps them finite. */
export function bradleyTerry(wins, steps = 200) {
  const counted = wins.map((row, i) => row.map((value, j) => value + (i === j ? 0 : 0.5)));
  let strengths = wins.map(() => 1);
  for (let step = 0; step < steps; step++) {
    strengths = counted.map((row, i) =>
      sum(row) / sum(row.map((value, j) => (value + counted[j][i]) / (strengths[i] + strengths[j]))));
    const middle = Math.exp(sum(strengths.map(Math.log)) / strengths.length);
    strengths = strengths.map((value) => value / middle);
  }
  return strengths;
}

/** Places in an order, the least first from 1; equal values share the mean of their places. */
export const places = (values) => values.map((value) =>
  1 + values.filter((other) => other < value).length + (values.filter((other) => other === value).length - 1) / 2);

/** Spearman's correlation of two orders, from -1 (reversed) to 1 (the same); NaN where one has no order. */
export function agreement(a, b) {
  const [x, y] = [a, b].map((values) => {
    const found = places(values), mean = sum(found) / found.length;
    return found.map((place) => place - mean);
  });
  const product = (u, v) => sum(u.map((value, k) => value * v[k]));
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

/** For each system its score: in a rating one grade a scene, in the scenes' order; in pairs its wins against each. */
export function scoresOf({ rounds, systems, scenes, mode }, answers) {
  if (mode === "rating") {
    const found = systems.map(() => []);
    rounds.forEach(([scene, system], k) => (found[systems.indexOf(system)][scenes.indexOf(scene)] = answers[k]));
    return found;
  }
  const wins = systems.map(() => systems.map(() => 0));
  rounds.forEach(([, first, second], k) => {
    const [a, b] = [systems.indexOf(first), systems.indexOf(second)];
    if (answers[k] === 1) wins[a][b] += 1;
    else wins[b][a] += 1;
  });
  return wins;
}

/** The answers as a class puts them together. */
export function csv({ columns, mode, seed, rounds }, answers) {
  const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  const rows = answers.map((answer, k) => [mode, seed, k + 1, rounds[k][0], rounds[k][1], rounds[k][2] ?? "", answer]);
  return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

/**
 * What is shown: for each system `{ name, value, low, high, truth, strength }`, and columns, each `{ name, values, places,
 * best, worst }` with a place from 0 (worst) to 1 (best) or null. The strengths stand in the table only: where all pairs
 * were met equally often they say again, as a chance, who won.
 */
export function summary(facts, answers, lock, before) {
  const { systems, mode } = facts, scores = scoresOf(facts, answers), rating = mode === "rating";
  const strengths = rating ? [] : bradleyTerry(scores);
  const matches = (k) => sum(scores[k]) + sum(scores.map((row) => row[k]));
  const rows = systems.map((name, k) => {
    const [value, low, high] = rating ? graded(scores[k], facts) : share(sum(scores[k]), matches(k), facts.normal);
    const truth = facts.measured.length > 0 && facts.measured.every(({ values }) => values[k] === null);
    return { name, value, low, high, truth, strength: rating ? null : strengths[k] / (1 + strengths[k]) };
  });
  const column = (name, values, best, worst) => ({
    name, values, best, worst,
    places: values.map((value) => (value === null ? null : best === worst ? 0.5 : (value - worst) / (best - worst))),
  });
  const columns = [];
  if (lock) columns.push(column("ranking", systems.map((name) => lock.indexOf(name) + 1), 1, systems.length));
  const own = column(rating ? "grades" : "pairs won", rows.map((row) => row.value), rating ? 5 : 1, rating ? 1 : 0);
  columns.push(own);
  if (!rating) columns.push({ ...column("Bradley-Terry", rows.map((row) => row.strength), 1, 0), inTable: true });
  if (before) columns.push(column("grades", systems.map((name) => before[name] ?? null), 5, 1));
  for (const { name, values, less } of facts.measured) {
    const known = values.filter((value) => value !== null), [low, high] = [Math.min(...known), Math.max(...known)];
    columns.push(column(name, values, less ? low : high, less ? high : low));
  }
  return { rows, columns, own, scores };
}

const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(1);

/** What the result says, in sentences that its numbers choose. */
export function sentences(facts, { rows, columns, own, scores }) {
  const asked = rows.map((row, k) => k).filter((k) => !rows[k].truth), said = [];
  const told = columns.filter((column) => column !== own && !column.inTable).map(({ name, places: found }) => {
    const known = asked.filter((k) => found[k] !== null);
    return [name, agreement(known.map((k) => found[k]), known.map((k) => own.places[k]))];
  });
  said.push(`Order of ${asked.length} systems beside your ${own.name}, from \u22121 (reversed) to 1 (the same): ` +
    told.map(([name, value]) => `${name} ${Number.isNaN(value) ? "no order" : signed(value)}`).join(", ") +
    ". So few can agree by chance.");
  const truth = rows.findIndex((row) => row.truth);
  if (truth >= 0) {
    const above = rows.filter((row) => row.value > rows[truth].value).map((row) => row.name);
    said.push(above.length ? `You preferred ${above.join(" and ")} to the truth: what pleases and what was there are two questions.`
      : "You preferred nothing to the truth.");
  }
  const order = [...asked].sort((a, b) => own.values[b] - own.values[a]), [first, second] = order;
  if (facts.mode === "rating") {
    const gaps = scores[first].map((grade, k) => grade - scores[second][k]);
    const [mean, low, high] = graded(gaps, { factor: facts.factor, rounding: facts.rounding * Math.SQRT2 }, -4, 4);
    said.push(`${rows[first].name} against ${rows[second].name}, photo by photo: ${signed(mean)} grades, from ${signed(low)} to ` +
      `${signed(high)}: ${low > 0 || high < 0 ? "a difference" : "no difference that could be told from chance"}.`);
  } else {
    const last = order.at(-1), [a, b] = [first, last].map((k) => rows[k].strength / (1 - rows[k].strength));
    said.push(`By Bradley and Terry's model you would call ${rows[first].name} sharper than ${rows[last].name} in ` +
      `${Math.round((100 * a) / (a + b))} of 100 comparisons.`);
  }
  return said;
}
