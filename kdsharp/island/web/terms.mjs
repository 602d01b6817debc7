// A word of the glossary: what it means opens beside it, for the mouse and for the keyboard; Escape closes it.

/** The address of the glossary's page and the name of a word in it, of a link; null for other links. */
export function termOf(address) {
  const found = /^([^#]*\bglossary\.html)#(term-.+)$/.exec(address ?? "");
  return found && { page: found[1], name: decodeURIComponent(found[2]) };
}

const pages = new Map();

async function meaning({ page, name }) {
  if (!pages.has(page)) {
    const read = fetch(page).then((answer) => answer.text());
    pages.set(page, read.then((text) => new DOMParser().parseFromString(text, "text/html")));
  }
  return (await pages.get(page)).getElementById(name)?.nextElementSibling?.textContent.trim();
}

/** Watch the words of the page. */
export function explainTerms(root) {
  let wanted = null;
  const close = () => {
    wanted?.removeAttribute("aria-describedby");
    wanted = null;
    document.getElementById("kdsharp-term")?.remove();
  };
  const open = async (link) => {
    close();
    wanted = link;
    const text = await meaning(termOf(link.href)).catch(() => null); // from disk: the link still leads there
    if (!text || wanted !== link) return;
    const note = document.createElement("div");
    note.id = "kdsharp-term";
    note.setAttribute("role", "tooltip");
    note.textContent = text;
    document.body.append(note);
    const { left, bottom } = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - note.offsetWidth - 8;
    note.style.left = `${Math.max(8, Math.min(left, room)) + scrollX}px`;
    note.style.top = `${bottom + 4 + scrollY}px`;
    link.setAttribute("aria-describedby", note.id);
    note.addEventListener("pointerleave", close);
  };
  for (const link of root.querySelectorAll("a.reference[href*='glossary.html#term-']")) {
    link.addEventListener("pointerenter", () => open(link));
    link.addEventListener("focus", () => open(link));
    link.addEventListener("blur", close);
    link.addEventListener("pointerleave", ({ relatedTarget }) => {
      if (relatedTarget?.id !== "kdsharp-term") close();
    });
  }
  root.addEventListener("keydown", ({ key }) => key === "Escape" && close());
}
