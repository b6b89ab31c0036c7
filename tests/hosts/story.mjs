// What is done with the package in every host. Copied into each project, so it imports nothing: the project imports the
// package as its users would, and hands it in.

/** Many callers find the access token expired at once, and another session turns out to be over. */
export async function story(library, settings, { others = async () => [] } = {}) {
  const auth = coordinator(library, settings);
  try {
    await auth.setTokens(settings.stale);
    // Those who share the session, and are elsewhere, begin before anything is sent.
    const elsewhere = others();
    const promises = Array.from({ length: settings.callers }, () => auth.getAccessToken());
    const identical = new Set(promises).size === 1;
    const tokens = [...(await Promise.all(promises)), ...(await elsewhere)];
    return { identical, tokens, error: await refusal(library, settings) };
  } finally {
    auth.close();
  }
}

/** The part of those who share the session: they find it where the host keeps it. */
export async function share(library, settings) {
  const auth = coordinator(library, settings);
  try {
    return await Promise.all(Array.from({ length: settings.callers }, () => auth.getAccessToken()));
  } finally {
    auth.close();
  }
}

/** The access token that a request with the given cookie goes on with. One coordinator serves all requests. */
export async function renew(library, settings) {
  serving ??= coordinator(library, settings);
  return (await serving.renew(settings.stale)).accessToken;
}

let serving;

/** What a request asks for. */
export async function answer(library, { task, settings }) {
  return { story, renew }[task](library, settings);
}

/** The error that a session causes which the server has ended, and of which classes it is. */
async function refusal(library, settings) {
  const auth = coordinator(library, { ...settings, session: "over" });
  try {
    await auth.setTokens(settings.over);
    await auth.getAccessToken();
  } catch (error) {
    const { name, code, status, oauthError, signInRequired } = error;
    return { name, code, status, oauthError, signInRequired, classes: classesOf(library, error) };
  } finally {
    auth.close();
  }
}

/** The names of the package's classes that it is an instance of. */
export function classesOf(library, error) {
  const classes = Object.keys(library).filter((name) => name.endsWith("Error"));
  return [...classes.filter((name) => error instanceof library[name]).sort(), ...(error instanceof Error ? ["Error"] : [])];
}

function coordinator(library, { clientId, tokenEndpoint, session }) {
  return new library.RefreshCoordinator({ clientId, tokenEndpoint, session });
}
