// The contract of all stores, for those that live in Node.

import test from "node:test";

import { memoryStore } from "refresh-coordinator";
import { storeContract } from "refresh-coordinator/testing";

const store = memoryStore();
for (const { title, run } of storeContract(() => store)) test(`memoryStore: ${title}`, run);
