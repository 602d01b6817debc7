// Loaded by every page of the book: gives each island its module, and explains the words of the glossary.
import { findIslands } from "./islands.mjs";
import { explainTerms } from "./terms.mjs";

findIslands((name) => import(`./${name}.mjs`).then((found) => found.default));
explainTerms(document);
