// The service worker of a chaos run: does what it is asked over its socket, and stays awake for as long as it is wanted.

import "../engines/agent.js";

import * as library from "/pkg/index.js";
import * as random from "../../chaos/random.mjs";

// It may not import when it likes.
Object.assign(globalThis, { package: library, random, rest: () => {} });

addEventListener("install", () => skipWaiting());
addEventListener("message", (event) => {
  globalThis.rest();
  event.waitUntil(new Promise((resolve) => (globalThis.rest = resolve)));
});
