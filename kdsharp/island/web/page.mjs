// Loaded by every page of the book: gives each island its module.
import { findIslands } from "./islands.mjs";

findIslands((name) => import(`./${name}.mjs`).then((found) => found.default));
