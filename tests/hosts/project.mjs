// The fixtures as projects: in a folder outside of the repository, with the packages of their lock files, and with this
// package installed from the tarball that would be published.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { execute } from "./execute.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Packages are taken from npm's cache where they are there. */
const QUIET = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];

/** All projects of one run. */
export class Workshop {
  #folder;
  #tarball;
  #projects = new Map();

  static async open() {
    const folder = await mkdtemp(join(tmpdir(), "refresh-coordinator-hosts-"));
    return new Workshop(folder);
  }

  constructor(folder) {
    this.#folder = folder;
  }

  /** The path of the tarball. */
  tarball() {
    return (this.#tarball ??= this.#pack());
  }

  /** The folder of a project; made when it is first asked for. `name` is that of a fixture. */
  project(name) {
    if (!this.#projects.has(name)) this.#projects.set(name, this.#install(name));
    return this.#projects.get(name);
  }

  close() {
    return rm(this.#folder, { recursive: true, force: true });
  }

  async #pack() {
    // Without scripts: the package is there already, and is taken as it is.
    const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", this.#folder];
    const [{ filename }] = JSON.parse((await npm(ROOT, ...args)).stdout);
    const packed = join(this.#folder, filename);
    // npm believes that what has the same name is the same.
    const hash = createHash("sha256").update(await readFile(packed)).digest("hex").slice(0, 12);
    const named = join(this.#folder, `refresh-coordinator-${hash}.tgz`);
    await rename(packed, named);
    return named;
  }

  async #install(name) {
    const [tarball, folder] = [await this.tarball(), join(this.#folder, name)];
    await mkdir(folder);
    for (const source of ["every", name]) await cp(join(HERE, "fixtures", source), folder, { recursive: true });
    if (existsSync(join(folder, "package-lock.json"))) await npm(folder, "ci", ...QUIET);
    await npm(folder, "install", tarball, ...QUIET);
    return folder;
  }
}

/** A command that a project's packages bring along. */
export const command = (folder, name) => join(folder, "node_modules", ".bin", name);

/** The version of a package that is installed in a project. */
export async function version(folder, name) {
  return JSON.parse(await readFile(join(folder, "node_modules", name, "package.json"), "utf8")).version;
}

/** The npm that started this, or the one on the path. */
function npm(cwd, ...args) {
  const script = process.env.npm_execpath;
  return script ? execute(process.execPath, [script, ...args], { cwd }) : execute("npm", args, { cwd });
}
