// The server of the demo page: Vite for the files, and two authorization servers, one for each half.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, preview } from "vite";

import { startHalf } from "./half.mjs";
import { isolation } from "./isolation.mjs";
import { LiveEvents } from "./live-events.mjs";
import { routes } from "./routes.mjs";

/** The names of the halves; the first is the package. */
export const HALVES = ["coordinated", "by-hand"];

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Bundles the page and starts everything, on free ports of the loopback interface. */
export async function startPageServer() {
  const events = new LiveEvents();
  const halves = await Promise.all(HALVES.map((name) => startHalf(name, (event) => events.publish(event))));
  // Several may run at once.
  const folder = await mkdtemp(join(tmpdir(), "refresh-coordinator-page-"));
  const page = configuration(folder, [isolation, routes(halves, events)]);
  await build(page);
  const vite = await preview(page);
  return {
    origin: `http://127.0.0.1:${vite.httpServer.address().port}`,
    async close() {
      await Promise.all([vite.close(), ...halves.map((half) => half.close())]);
      await rm(folder, { recursive: true });
    },
  };
}

function configuration(folder, middlewares) {
  return {
    configFile: false,
    root: path("../page"),
    appType: "mpa",
    logLevel: "error",
    resolve: { alias: { "refresh-coordinator": path("../../pkg/index.js") } },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "esnext",
      // Who looks into it with the developer tools shall be able to read it.
      minify: false,
      rolldownOptions: { input: [path("../page/index.html"), path("../page/tab.html")] },
    },
    preview: { host: "127.0.0.1", port: 0 },
    plugins: [
      {
        name: "demo",
        configurePreviewServer: (server) => middlewares.forEach((middleware) => server.middlewares.use(middleware)),
      },
    ],
  };
}
