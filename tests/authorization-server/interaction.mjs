// The pages of the authorization server on which a user signs in and agrees: one form with one button, for whoever comes. In
// between, oidc-provider sends the browser to and fro as it does with real pages.

import { randomUUID } from "node:crypto";

const PATH = "/interaction/";

/** Where the provider's configuration says that they are. */
export const interactions = { url: (_context, { uid }) => PATH + uid };

/** Middleware that shows and answers them. */
export function interaction(provider) {
  return async (context, next) => {
    if (!context.path.startsWith(PATH)) return next();
    const { req, res } = context;
    const { prompt, params, session } = await provider.interactionDetails(req, res);
    if (context.method === "GET") {
      context.body = `<!doctype html><form method="post"><button>${prompt.name}</button></form>`;
      return;
    }
    const done = prompt.name === "login" ? { login: { accountId: `user-${randomUUID()}` } } : await agreed(provider, params, session);
    context.redirect(await provider.interactionResult(req, res, done));
  };
}

/** To everything that was asked for. */
async function agreed(provider, { client_id: clientId, scope }, { accountId }) {
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  return { consent: { grantId: await grant.save() } };
}
