// One server of an app, as a process: a coordinator on a store that it shares with others. Does what it is told, call by call.

import { RefreshCoordinator } from "refresh-coordinator";

import { WAYS } from "./connect.mjs";

const { way, address, options } = JSON.parse(process.argv[2]);
const { store, close } = await WAYS[way](address);
const auth = new RefreshCoordinator({ ...options, store });

process.on("message", async ({ id, member, values }) => {
  try {
    process.send({ id, result: await auth[member](...values) });
  } catch (error) {
    process.send({ id, error: { name: error.name, ...error, message: error.message } });
  }
});
process.once("disconnect", () => {
  auth.close();
  return close();
});
process.send("ready");
