// What a user's callback may do: the honest shapes, which must work, and all others, each of which must be survived.

/** Ways to hand over a value, by name. */
export const honest = {
  "a plain value": (value) => value,
  "a promise": async (value) => value,
  "a thenable": (value) => ({ then: (resolve) => resolve(value) }),
  "a thenable that takes its time": (value) => ({ then: (resolve) => setImmediate(resolve, value) }),
  "a thenable within a promise": async (value) => ({ then: (resolve) => resolve(value) }),
  "a thenable that resolves twice": (value) => ({
    then: (resolve, reject) => {
      resolve(value);
      resolve("another value");
      reject(new Error("and a rejection"));
    },
  }),
  "a thenable that throws after it has resolved": (value) => ({
    then: (resolve) => {
      resolve(value);
      throw new Error("too late");
    },
  }),
};

/** Ways to fail at once. */
export const failing = {
  "throws an Error": () => {
    throw new Error("thrown");
  },
  "throws a string": () => {
    throw "thrown";
  },
  "throws undefined": () => {
    throw undefined;
  },
  "throws null": () => {
    throw null;
  },
  "throws a frozen object without a prototype": () => {
    throw Object.freeze(Object.create(null));
  },
  "throws something whose every member throws": () => {
    throw new Proxy({}, { get: () => raise(), ownKeys: () => raise(), getOwnPropertyDescriptor: () => raise() });
  },
  "rejects with an Error": () => Promise.reject(new Error("rejected")),
  "rejects with a string": () => Promise.reject("rejected"),
  "rejects with undefined": () => Promise.reject(undefined),
  "rejects with null": () => Promise.reject(null),
  "rejects with a number": () => Promise.reject(42),
  "rejects with a symbol": () => Promise.reject(Symbol("rejected")),
  "returns a thenable that rejects with a string": () => ({ then: (_resolve, reject) => reject("rejected") }),
  "returns a thenable that throws": () => ({
    then: () => {
      throw "thrown";
    },
  }),
  "returns an object whose `then` cannot be read": () => Object.defineProperty({}, "then", { get: () => raise() }),
};

/** Ways to never settle. */
export const silent = {
  "never settles": () => new Promise(() => {}),
  "returns a thenable that never calls back": () => ({ then: () => {} }),
};

function raise() {
  throw new Error("a getter threw");
}
