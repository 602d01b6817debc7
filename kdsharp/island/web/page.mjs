// Loaded by every page of the book: gives each island its module, explains the words of the glossary, lends a loupe,
// starts a clip, and lets the keyboard reach what scrolls sideways.
import { findIslands } from "./islands.mjs";
import { lendLoupe } from "./loupe.mjs";
import { explainTerms } from "./terms.mjs";

findIslands((name) => import(`./${name}.mjs`).then((found) => found.default));
explainTerms(document);
lendLoupe(document);

/** A clip plays once, when half of it is on the screen, unless the reader has asked for less motion; it has controls. */
function play() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const start = ({ isIntersecting, target }) => {
    if (!isIntersecting) return;
    watch.unobserve(target);
    target.play().catch(() => {}); // a browser that refuses shows the poster and the button
  };
  const watch = new IntersectionObserver((entries) => entries.forEach(start), { threshold: 0.5 });
  for (const each of document.querySelectorAll(".kdsharp-clip video")) watch.observe(each);
}
play();

/** What is wider than its place can be scrolled by the arrow keys once it has the focus, and on a phone says that it can
 *  be moved (kdsharp.css); a list is one of list items; what opens the pages below one says so. */
function reach() {
  for (const each of document.querySelectorAll(".citation-list")) each.removeAttribute("role");
  for (const each of document.querySelectorAll("nav.bd-links summary")) {
    each.ariaLabel = `Pages below: ${each.closest("li").querySelector("a").textContent.trim()}`; // the theme shows an arrow
  }
  for (const each of document.querySelectorAll("article :is(table, pre, .cell_output, .kdsharp-pan, div.math mjx-container)")) {
    const wide = each.scrollWidth > each.clientWidth + 1;
    each.classList.toggle("kdsharp-wide", wide);
    if (wide) each.tabIndex = 0;
  }
}
reach();
new ResizeObserver(reach).observe(document.querySelector("article") ?? document.body); // formulas come late, answers open
