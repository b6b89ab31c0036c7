// A rule of every chaos run: nobody is gone to whom nothing was done. Pure.

/** Places that were gone although nobody did anything to them, in sentences. */
export function vanished(record) {
  /** Of each place, what was last done to it, and whether it is one that may go as it likes. */
  const places = new Map();
  return record.flatMap(({ type, place, sleeps }) => {
    const { last, mayGo } = places.get(place) ?? {};
    if (type === "began") places.set(place, { last, mayGo: mayGo || sleeps === true });
    if (type === "leaves" || type === "back") places.set(place, { last: type, mayGo });
    return type !== "ended" || mayGo || last === "leaves" ? [] : [`${place} was gone although nothing was done to it`];
  });
}
