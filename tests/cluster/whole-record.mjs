// The record of a run, as the judge reads it: what the run and the server wrote down, and between it what every process did, with one name
// for each session and the key under which the store has what is presented.

/**
 * @param record of the run, whose sessions have the server's ids
 * @param said what the processes said, line by line
 * @param keyOf the key of a presentation
 */
export function wholeRecord(record, { said, browsers, keyOf }) {
  const lines = said.flatMap((text) => text.split("\n")).filter((line) => line.startsWith("{"));
  const told = lines.map((line) => JSON.parse(line)).map(({ when, ...entry }) => ({ ...entry, at: when - record.began }));
  return [...named(record, browsers, keyOf), ...told].sort((one, other) => one.at - other.at);
}

/** Where the server does not know any more whose a token was that it refused, the presentation tells. */
function named(record, browsers, keyOf) {
  const names = new Map(browsers.map(({ session, name }) => [session, name]));
  const presented = new Map(record.filter(({ type }) => type === "presented").map(({ id, session }) => [id, session]));
  return record.map(({ session, of, ...entry }) => {
    const whose = presented.get(entry.id) ?? session;
    return {
      ...entry,
      ...(whose !== undefined && { session: names.get(whose) }),
      ...(of !== undefined && { of: names.get(of) }),
      ...(entry.type === "presented" && { key: keyOf({ token: entry.token, session }) }),
    };
  });
}
