// A program of several threads, each with the package loaded for itself: they ask at once, each many times.

import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { say, settings } from "./said.mjs";

const threads = Array.from({ length: settings.threads }, () => new Worker(new URL("thread.mjs", import.meta.url), { workerData: settings }));
await Promise.all(threads.map((thread) => once(thread, "message")));
const answers = threads.map((thread) => once(thread, "message"));
for (const thread of threads) thread.postMessage("ask");
say("asked");
const got = await Promise.all(answers);
say("got", got.flatMap(([tokens]) => tokens));
