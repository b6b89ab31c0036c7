// The sign-in of a command-line tool (RFC 8628): the server's part of it, and what a user does who agrees.

/** A tool that has nothing but this. */
export const DEVICE_CLIENT = "tool";

export const deviceClient = Object.freeze({
  client_id: DEVICE_CLIENT,
  grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: "none",
});

/** Seconds between two questions of the tool (RFC 8628 section 3.2). */
const INTERVAL = 1;

/** What the user sees. */
export const devicePages = Object.freeze({
  userCodeInputSource: (context, form) => void (context.body = form),
  userCodeConfirmSource: (context, form) => void (context.body = form),
  successSource: (context) => void (context.body = DONE),
});

const DONE = "You may go back to the tool.";

/** The pages that ask who the user is, and whether the tool may. Whoever comes here says yes to everything. */
export function deviceFlow(provider) {
  return async (context, next) => {
    if (context.path.startsWith("/interaction/")) return agree(provider, context);
    await next();
    if (context.path === "/device/auth" && context.body?.user_code) context.body.interval = INTERVAL;
  };
}

async function agree(provider, { req, res }) {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  if (prompt.name === "login") return provider.interactionFinished(req, res, { login: { accountId: "user" } });
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

/** Goes to the page, enters the code and agrees, as a browser would. */
export async function approve(page, code) {
  const browser = new Browser();
  const asked = await browser.request(page);
  const entered = await browser.submit(page, asked, { user_code: code });
  const done = await browser.submit(page, entered, {});
  if (done !== DONE) throw new Error(`the user came to another page: ${done}`);
}

/** Keeps cookies, goes where it is sent, and sends the forms of pages with what is hidden in them. */
class Browser {
  #cookies = new Map();

  submit(page, html, values) {
    const hidden = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
    return this.request(page, { method: "POST", body: new URLSearchParams([...hidden, ...Object.entries(values)]) });
  }

  async request(page, init) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const reply = await fetch(page, { ...init, headers: { cookie }, redirect: "manual" });
    for (const [, name, value] of reply.headers.getSetCookie().map((line) => /^([^=]*)=([^;]*)/.exec(line))) this.#cookies.set(name, value);
    const next = reply.headers.get("location");
    return next === null ? reply.text() : this.request(new URL(next, page));
  }
}
