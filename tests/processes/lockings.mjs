// The ways in which processes keep out of each other's way, as options of the file store.

export const lockings = Object.freeze([
  { title: "kernel lock", store: {}, isLocked: true },
  { title: "lease only", store: { lock: false }, isLocked: false },
]);
