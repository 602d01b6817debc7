// What a reader did, kept in her browser and nowhere else, until she takes it away.

const PREFIX = "kdsharp:";
const unkept = new Map(); // by name, for this page alone: what a browser that keeps nothing would not take

/** What was kept under a name, or `otherwise`. */
export function recall(name, otherwise = null) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    if (text !== null) return JSON.parse(text);
  } catch {
    // no storage, or not ours
  }
  return unkept.get(name) ?? otherwise;
}

/** Keep a value that JSON holds. Gives false where it lasts only as long as the page (private window, full, from disk). */
export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    unkept.delete(name);
    return true;
  } catch {
    unkept.set(name, value);
    return false;
  }
}

/** Everything that was kept, by name. */
export function everything() {
  const found = Object.fromEntries(unkept);
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX)) found[name.slice(PREFIX.length)] = JSON.parse(localStorage.getItem(name));
    }
  } catch {
    // no storage, or not ours
  }
  return found;
}

/** Take all of it away. */
export function forgetEverything() {
  const names = Object.keys(everything());
  unkept.clear();
  try {
    for (const name of names) localStorage.removeItem(PREFIX + name);
  } catch {
    // no storage
  }
}
