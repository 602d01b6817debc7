// From disk no module runs: what is sealed for a page with scripts opens. (A classic script, which does run there.)
if (location.protocol === "file:") {
  addEventListener("DOMContentLoaded", () => {
    for (const seal of document.querySelectorAll(".kdsharp-still > noscript")) seal.outerHTML = seal.textContent;
  });
}
