// The contract of all stores, for those that live in Node.

import test from "node:test";

import { memoryStore } from "refresh-coordinator";

import { contract } from "../stores/contract.mjs";

for (const [sentence, holds] of Object.entries(contract)) {
  test(`memoryStore: ${sentence}`, async () => {
    const store = memoryStore();
    await holds(() => store);
  });
}
