/** The entry for edge runtimes such as Next.js's, where bytes may not be compiled: the wasm is imported as a module. */

// @ts-ignore: the bundler makes a WebAssembly.Module of it.
import module from "./core.wasm?module";
import { provide } from "./instance.js";

provide({ compile: () => module as WebAssembly.Module, background: false });

export * from "./public.js";
