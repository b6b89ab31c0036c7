// The last step of the build: the TypeScript of js/ and the generated glue become what users import from pkg/.

import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";
import { declare } from "./declarations.mjs";
import { report } from "./sizes.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));

/** The default entry, and the two for hosts that may only run WebAssembly they were given as a file. */
const ENTRIES = ["index", "index.workerd", "index.edge-light"];

/** What is imported beside it. */
const BESIDE = ["next-auth", "opentelemetry", "stores/app", "stores/file", "stores/redis", "stores/sql", "stores/web", "testing", "worker"];

rmSync("target/xtask/types", { recursive: true, force: true });
await bundle([...ENTRIES, ...BESIDE], ["index", ...BESIDE]);
declare(["index", ...BESIDE]);
report([...ENTRIES, ...BESIDE]);
