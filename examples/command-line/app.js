#!/usr/bin/env node
// The tool: `app login`, `app whoami`, `app logout`. What it prints is for people, how it ends is for scripts.

import { parseArgs } from "node:util";

import { coordinator, defaultPath } from "./auth.js";
import { api } from "./settings.js";

const USAGE = "usage: app login | whoami | logout [--credentials <file>]";

/** How the tool ends. */
const EXIT = { done: 0, failed: 1, usage: 2, signInRequired: 4, tryAgain: 75, interrupted: 130 };

const commands = {
  async login(auth, signal) {
    const { signIn } = await import("./sign-in.js");
    const show = (page, code) => console.log(`Open ${page} and enter ${code}`);
    await auth.setTokens(await signIn(show, signal));
    console.log("You are signed in.");
  },

  async whoami(auth, signal) {
    const response = await auth.fetch(`${api}/me`, { signal });
    if (!response.ok) throw new Error(`the API answered ${response.status}`);
    console.log((await response.json()).name);
  },

  async logout(auth) {
    const { revoked } = await auth.signOut();
    console.log(revoked ? "You are signed out." : "You are signed out here. The server has not heard of it.");
  },
};

// The first Ctrl-C ends the waiting, the second one the process; so does whoever else wants it to end, and a terminal that is closed. In
// between, an exchange that is under way still writes what it gets: hence no `process.exit(…)` either.
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => interrupt.abort());
process.exitCode = await main(process.argv.slice(2));

async function main(args) {
  let name, path;
  try {
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options: { credentials: { type: "string" } } });
    if (positionals.length !== 1 || !Object.hasOwn(commands, positionals[0])) throw new TypeError(USAGE);
    [name] = positionals;
    path = values.credentials ?? defaultPath();
  } catch (error) {
    console.error(error.message);
    return EXIT.usage;
  }
  const auth = coordinator(path);
  try {
    await commands[name](auth, interrupt.signal);
    return EXIT.done;
  } catch (error) {
    if (interrupt.signal.aborted) {
      console.error(`app ${name}: interrupted`);
      return EXIT.interrupted;
    }
    if (error.signInRequired) {
      console.error("You are not signed in: run `app login`.");
      return EXIT.signInRequired;
    }
    console.error(`app ${name}: ${error.message}`);
    return error.retryable ? EXIT.tryAgain : EXIT.failed;
  } finally {
    auth.close();
  }
}
