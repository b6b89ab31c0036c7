// The stores that tabs can share, by their name in the tests: a function of the package's `stores/web`, and its options.

export const stores = {
  "indexed-db": ["indexedDbStore"],
  "web-storage": ["webStorageStore", { key: "session" }],
};
