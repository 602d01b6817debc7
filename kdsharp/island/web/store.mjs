// What a reader did, kept in her browser and nowhere else, until she takes it away.

const PREFIX = "kdsharp:";

/** What was kept under a name, or `otherwise`; a browser that keeps nothing answers `otherwise` too. */
export function recall(name, otherwise = null) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/** Keep a value that JSON holds. Gives false where the browser keeps nothing (private window, full, from disk). */
export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Everything that was kept, by name. */
export function everything() {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
    return Object.fromEntries(names.map((name) => [name.slice(PREFIX.length), JSON.parse(localStorage.getItem(name))]));
  } catch {
    return {};
  }
}

/** Take all of it away. */
export function forgetEverything() {
  for (const name of Object.keys(everything())) localStorage.removeItem(PREFIX + name);
}
