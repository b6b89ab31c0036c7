// One instance of an app, as a process: an HTTP server with coordinators of its own, and its own connection to the database that all share.
//
// What it knows is on its standard output, a line of JSON each, written at once: what a process has done that was killed is known too.

import { once } from "node:events";
import { writeSync } from "node:fs";
import { createServer } from "node:http";

import { WAYS } from "../databases/connect.mjs";
import { APPS } from "./apps.mjs";

const { place, way, address, mode, options, says } = JSON.parse(process.argv[2]);
/** So often it looks whether it has stood still, and calls it so from the second number on, in milliseconds. */
const [LOOK, STOOD_STILL] = [100, 500];

let lines = 0;
const tell = (entry) => writeSync(1, `${JSON.stringify({ place, ...entry, line: (lines += 1), when: Date.now() })}\n`);

tell({ type: "says", says });
const { store, close } = await WAYS[way](address);
const app = APPS[mode]({ ...options, store: witnessed(store), fetch: present }, (event) => tell({ type: "event", event }));

const http = createServer(async (request, response) => {
  const { status, headers, body } = await app.answer(request).catch(({ name, message, ...error }) => ({
    status: error.signInRequired ? 401 : 503,
    body: { error: { name, ...error, message } },
  }));
  response.writeHead(status ?? 200, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ place, ...body }));
});

/** Where the run holds a presentation: "sends", before the next one leaves. After a reply, the reply says so. */
let hold;
let release = () => {};
let presentations = 0;

async function present(url, init) {
  const id = `${place}#${(presentations += 1)}`;
  const headers = new Headers(init.headers);
  headers.set("presentation", id);
  tell({ type: "sends", id });
  if (hold === "sends") await isHeld({ at: "sends", id });
  const response = await fetch(url, { ...init, headers });
  if (response.headers.get("hold") !== "reply") return response;
  // All of it is here, and nothing of it is stored.
  const body = await response.text();
  await isHeld({ at: "reply", id });
  return new Response(body, response);
}

/** Tells the run, and goes on when the run says so: if it is still there then. */
async function isHeld(where) {
  hold = undefined;
  const released = new Promise((resolve) => (release = resolve));
  process.send({ type: "held", ...where });
  await released;
}

/** A store, with a line for each write and its outcome, and for each read after one of which the outcome is unknown. */
function witnessed(store) {
  const unknown = new Set();
  const attempt = async (operation, key, work) => {
    try {
      const outcome = await work();
      if (operation === "write" || unknown.delete(key)) tell({ type: operation, key, outcome: operation === "write" && outcome === undefined ? "conflict" : "done" });
      return outcome;
    } catch (error) {
      if (operation === "write") unknown.add(key);
      tell({ type: operation, key, outcome: "failed", message: error.message });
      throw error;
    }
  };
  return {
    ...store,
    read: (key) => attempt("read", key, () => store.read(key)),
    write: (key, value, conditions) => attempt("write", key, () => store.write(key, value, conditions)),
  };
}

process.on("message", (message) => {
  if (message.hold) hold = message.hold;
  if (message.release) release();
});
process.once("disconnect", async () => {
  clearInterval(looking);
  http.close();
  http.closeAllConnections();
  app.close();
  await close();
});

// Stopped, or without a processor: for others it is the same.
let looked = performance.now();
const looking = setInterval(() => {
  const ms = Math.round(performance.now() - looked - LOOK);
  if (ms > STOOD_STILL) tell({ type: "stood still", ms });
  looked = performance.now();
}, LOOK);

http.listen(0, "127.0.0.1");
await once(http, "listening");
process.send({ type: "ready", port: http.address().port });
