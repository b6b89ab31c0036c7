// A register that processes share over HTTP: what a hosted database is to an edge route.

import { createServer } from "node:http";

import { listen } from "../authorization-server/listen.mjs";

/** Starts one that ends with the row. */
export async function sharedStore(row) {
  const rows = new Map();
  let versions = 0;
  const read = (key) => {
    const found = rows.get(key);
    return found && found.endsAt > Date.now() ? found : undefined;
  };
  const answer = ({ read: wanted, write: key, value, ifVersion, ttl }) => {
    if (wanted !== undefined) {
      const found = read(wanted);
      return found && { value: found.value, version: found.version };
    }
    if ((read(key)?.version ?? null) !== ifVersion) return undefined;
    const version = String((versions += 1));
    if (value === undefined) rows.delete(key);
    else rows.set(key, { value, version, endsAt: ttl === undefined ? Infinity : Date.now() + ttl });
    return version;
  };
  const { origin, close } = await listen(
    createServer(async (request, response) => {
      let question = "";
      for await (const chunk of request.setEncoding("utf8")) question += chunk;
      response.end(JSON.stringify({ answer: answer(JSON.parse(question)) }));
    }),
  );
  row.after(close);
  return origin;
}
