// A process whose Node cannot hand over its own modules at once, as before 20.16 and 22.3; or, told so, a host that has no such
// module, or an empty one.

import { channel, subscribe } from "node:diagnostics_channel";

if (process.argv[2] === "a module for show") {
  process.getBuiltinModule = () => ({ default: {}, channel: undefined });
  Object.defineProperty(process.versions, "node", { value: undefined });
} else if (process.argv[2] === "without the module") {
  // A browser that somebody has given a `process`.
  process.getBuiltinModule = () => undefined;
  Object.defineProperty(process.versions, "node", { value: undefined });
} else {
  process.getBuiltinModule = undefined;
}
const { RefreshCoordinator } = await import("refresh-coordinator");
// It was asked for earlier, so the package has it by then.
await import("node:diagnostics_channel");

const messages = [];
for (const type of ["refreshed", "presented", "signed-in", "adopted"]) {
  subscribe(`refresh-coordinator:${type}`, (message) => void messages.push(message.type));
}
const auth = new RefreshCoordinator({ refresh: async () => ({ access_token: "A1", refresh_token: "R1", expires_in: 3600 }) });
await auth.setTokens({ refresh_token: "R0" });
await auth.getAccessToken();
await new Promise(setImmediate);
console.log(messages.join(" "));
