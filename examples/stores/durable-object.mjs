// A store in Cloudflare's Durable Objects: one object per key, and what it does it does alone. For `wrangler.json`:
//   "durable_objects": { "bindings": [{ "name": "SESSIONS", "class_name": "SessionStorage" }] },
//   "migrations": [{ "tag": "v1", "new_sqlite_classes": ["SessionStorage"] }]

import { DurableObject } from "cloudflare:workers";

export class SessionStorage extends DurableObject {
  read() {
    const row = this.ctx.storage.kv.get("row");
    return row && Date.now() < row.endsAt ? { value: row.value, version: row.version } : undefined;
  }

  // No await in it: nobody gets between the look and the write.
  write(value, { ifVersion, ttl = Infinity }) {
    if (typeof ifVersion !== "string" && ifVersion !== null) throw new TypeError("`ifVersion` must be a version, or null");
    if ((this.read()?.version ?? null) !== ifVersion) return undefined;
    const version = crypto.randomUUID();
    if (value === undefined) this.ctx.storage.kv.delete("row");
    else this.ctx.storage.kv.put("row", { value, version, endsAt: Date.now() + ttl });
    return version;
  }
}

/** `namespace` is the binding: `durableObjectStore(env.SESSIONS)`. */
export function durableObjectStore(namespace) {
  const of = (key) => namespace.get(namespace.idFromName(`session ${key}`));
  return {
    scope: "cluster",
    read: (key) => of(key).read(),
    write: (key, value, conditions) => of(key).write(value, conditions),
  };
}
