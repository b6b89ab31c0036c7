// The types of js/ as users see them: only what the entries reach, once for `import` and once for `require`.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path/posix";

const EMITTED = "target/xtask/types";

/** The second one is for what runs in Node, Bun and Deno only: nothing else is to know of Node's modules. */
const PROJECTS = ["tsconfig.build.json", "tsconfig.build.node.json"];

/** What stands in quotes after `from` or `import`: tsc writes no other form. */
const SPECIFIER = /(\bfrom |\bimport |\bimport\()(["'])(\.{1,2}\/[^"']+)\2/g;

/** @param {string[]} entries names of the entries in js/ */
export function declare(entries) {
  const tsc = "node_modules/typescript/bin/tsc";
  for (const project of PROJECTS) {
    const { status } = spawnSync(process.execPath, [tsc, "--project", project], { stdio: "inherit" });
    if (status !== 0) throw new Error("the types of js/ do not compile");
  }

  for (const [name, text] of reachable(entries)) {
    mkdirSync(dirname(`pkg/${name}`), { recursive: true });
    writeFileSync(`pkg/${name}.d.ts`, pointed(text, name, ".js"));
    writeFileSync(`pkg/${name}.d.cts`, pointed(text, name, ".cjs"));
  }
}

/** The declarations that the entries need, by name. */
function reachable(entries) {
  const found = new Map();
  const open = [...entries];
  for (const name of open) {
    if (found.has(name)) continue;
    const file = [`${EMITTED}/${name}.d.ts`, `pkg/${name}.d.ts`].find(existsSync);
    if (!file) throw new Error(`the types of ${entries.join(", ")} need "${name}", which has none`);
    const text = readFileSync(file, "utf8");
    found.set(name, text);
    for (const [, , , specifier] of text.matchAll(SPECIFIER)) open.push(named(specifier, name));
  }
  return found;
}

/** What a specifier in the file `name` means. js/ and pkg/ become one folder, so their files share their names. */
function named(specifier, name) {
  const path = join("js", dirname(name), specifier);
  const found = /^(?:js|pkg)\/(.+)\.js$/.exec(path)?.[1];
  if (!found) throw new Error(`unexpected in the types of "${name}": "${specifier}"`);
  return found;
}

/** The text with every specifier pointing at its file in pkg/. */
function pointed(text, name, ending) {
  return text.replace(SPECIFIER, (_, before, quote, specifier) => {
    const path = relative(dirname(name), named(specifier, name));
    return `${before}${quote}${path.startsWith(".") ? "" : "./"}${path}${ending}${quote}`;
  });
}
