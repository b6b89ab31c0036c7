// A database as a process: started on a free port with its data in a folder of its own, which may die, stand still, and come back.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { freePort } from "../free-port.mjs";

// A test that takes too long is ended so, and its servers with it.
process.once("SIGTERM", () => process.exit(143));

export class ServerProcess {
  #command;
  #ready;
  #user;
  #child;
  #said = [];

  /** `command` is made of port and folder; `ready` is what the server says then; `user` is whom it runs as. */
  static async prepare(t, name, { command, ready, user }) {
    const folder = await mkdtemp(join(tmpdir(), `refresh-coordinator-${name}-`));
    if (user) await chown(folder, user.uid, user.gid);
    const server = new ServerProcess(folder, await freePort(), { command, ready, user });
    t.after(() => server.#end());
    return server;
  }

  constructor(folder, port, { command, ready, user }) {
    this.folder = folder;
    this.port = port;
    this.#command = command(port, folder);
    this.#ready = ready;
    this.#user = user;
  }

  /** Also after it has died: on the same port, with the same data. */
  async start() {
    const [program, ...args] = this.#command;
    const child = spawn(program, args, { ...this.#user, cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    const gone = once(child, "exit");
    this.#child = { child, gone };
    // Whatever ends this process ends it too.
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    gone.finally(() => process.off("exit", kill));
    await new Promise((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on("line", (line) => {
          this.#said.push(line);
          if (this.#ready.test(line)) resolve();
        });
      }
      child.once("error", reject);
      gone.then(([code, signal]) => reject(new Error(`${program} ended with ${code ?? signal}:\n${this.#said.slice(-20).join("\n")}`)), reject);
    });
  }

  /** It dies, with no time to say or save anything. */
  async kill() {
    this.resume();
    this.#child.child.kill("SIGKILL");
    await this.#child.gone;
  }

  /** It stands still: connections stay, and nothing is answered. */
  pause() {
    this.#child.child.kill("SIGSTOP");
  }

  resume() {
    this.#child.child.kill("SIGCONT");
  }

  /** Everything it has written to its disk, and said. */
  async dump() {
    return (await this.contents()).join("\n");
  }

  /** The same, file by file: of a large database it may be more than one text can hold. */
  async contents() {
    const files = await readdir(this.folder, { recursive: true, withFileTypes: true });
    const contents = files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath ?? file.path, file.name), "latin1"));
    return [...(await Promise.all(contents)), this.#said.join("\n")];
  }

  async #end() {
    if (this.#child) await this.kill();
    // Its own children may be writing their last.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
