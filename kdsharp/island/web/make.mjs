// Makes elements, so that no module writes HTML as text, and gives each island its look.

/** An element with attributes and children: `make("p", { class: "kdsharp-note" }, "text", child)`. */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** What a lesson wrote as HTML, as nodes. */
export function parsed(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}

/** An element of a drawing: `svg("text", { x: 3, y: 4 }, "words")`. */
export function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Fill an island's root with its elements. */
export function fill(el, kind, ...children) {
  el.classList.add("kdsharp-island", `kdsharp-${kind}`);
  el.replaceChildren(...children);
  // JupyterLab takes the arrow keys to walk over cells and headings, but from an element that says so; and at any other
  // key that it hears of it moves the focus to the cell that it takes for the active one
  for (const each of el.querySelectorAll("input, button, select, textarea, a")) each.dataset.lmSuppressShortcuts = "true";
  el.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());
}
