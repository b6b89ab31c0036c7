// The database of one authorization server: the adapter interface of oidc-provider, in memory.
//
// A server with a grace period does not see that a refresh token is consumed until the period is over.

import { setTimeout as sleep } from "node:timers/promises";

const now = () => Date.now();

/** Makes the adapter class for a server of this personality. */
export function storage(personality) {
  const rows = new Map();
  const { graceSeconds, storageLatency } = personality;
  const access = () => (storageLatency > 0 ? sleep(storageLatency) : undefined);

  return class Storage {
    #model;

    constructor(model) {
      this.#model = model;
    }

    #key(id) {
      return `${this.#model}:${id}`;
    }

    async upsert(id, payload, lifetime) {
      await access();
      const ends = typeof lifetime === "number" ? now() + lifetime * 1000 : Infinity;
      rows.set(this.#key(id), { payload: { ...payload }, ends, consumedAt: undefined });
    }

    async find(id) {
      await access();
      return this.#visible(rows.get(this.#key(id)));
    }

    async findByUid(uid) {
      await access();
      return this.#visible([...rows.values()].find((row) => row.payload.uid === uid));
    }

    async findByUserCode(code) {
      await access();
      return this.#visible([...rows.values()].find((row) => row.payload.userCode === code));
    }

    async consume(id) {
      await access();
      const row = rows.get(this.#key(id));
      if (row) row.consumedAt ??= now();
    }

    async destroy(id) {
      await access();
      rows.delete(this.#key(id));
    }

    async revokeByGrantId(grantId) {
      await access();
      const prefix = this.#key("");
      for (const [key, row] of rows) {
        if (key.startsWith(prefix) && row.payload.grantId === grantId) rows.delete(key);
      }
    }

    #visible(row) {
      if (!row || row.ends <= now()) return undefined;
      const consumed = row.consumedAt !== undefined && now() >= row.consumedAt + graceSeconds * 1000;
      return consumed ? { ...row.payload, consumed: Math.floor(row.consumedAt / 1000) } : { ...row.payload };
    }
  };
}
