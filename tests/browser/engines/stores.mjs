// The stores that tabs can share, by their name in the tests. Each is a function of the package's `stores/web`.

export const stores = {
  "indexed-db": "indexedDbStore",
};
