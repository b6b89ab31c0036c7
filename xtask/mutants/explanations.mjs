// The mutants that no test can or need catch: one table, read by people and by `npm run mutants`.
// A mutant is named by its file, the line it changes and what it does there, so that the list outlives other changes.

import { readFileSync } from "node:fs";

const PLACE = " · ";

/** The rows of the table, under the headings that name the files: `| mutant | line | why |`. */
export function explanations(text) {
  const rows = [];
  let file;
  for (const line of text.split("\n")) {
    const heading = /^## `?([^`]+?)`?$/.exec(line);
    if (heading) file = heading[1];
    const cells = line.startsWith("| `") ? line.split(/(?<!\\)\|/).slice(1, -1).map(plain) : [];
    if (cells.length !== 3 || file === undefined) continue;
    const [mutants, code, why] = cells;
    if (why === "") throw new Error(`not explained: ${mutants}`);
    for (const mutant of mutants.split("<br>")) rows.push({ file, place: [file, code, unquoted(mutant)].join(PLACE), why });
  }
  return rows;

  function plain(cell) {
    return unquoted(cell.replaceAll("\\|", "|").trim());
  }
}

/** The same name for a mutant as cargo-mutants tells of it: `src/a.rs:7:9: replace a -> bool with true`. */
export function placeOf({ file, name, span }) {
  const code = linesOf(file)[span.start.line - 1].trim();
  return [file, code, name.replace(/^[^:]+:\d+:\d+: /, "")].join(PLACE);
}

function unquoted(text) {
  const trimmed = text.trim();
  return /^`[^`]*`$/.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
}

const sources = new Map();

function linesOf(file) {
  if (!sources.has(file)) sources.set(file, readFileSync(file, "utf8").split("\n"));
  return sources.get(file);
}
