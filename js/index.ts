/** The default entry: the wasm is part of it as base64, and is compiled at the first `new`. */

import base64 from "../pkg/core.base64.js";
import { provide } from "./instance.js";

provide({
  compile: () => new WebAssembly.Module(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))),
  background: true,
});

export * from "./public.js";
