// The two kinds of app, by where the tokens are: in the cookie itself (successor mode), or in the store under a name that the cookie
// holds (session mode).

import { RefreshCoordinator } from "refresh-coordinator";

import { cookieIn, opened, sealed, settingCookie } from "./cookies.mjs";

/** Each is made of the options of its coordinators and of who hears their events; `answer` takes a request. */
export const APPS = {
  /** Answers each request with the tokens that are current now, as its cookie. */
  successor(options, hear) {
    const auth = coordinator(options, hear);
    return {
      async answer(request) {
        const { accessToken, refreshToken, expiresAt } = await auth.renew(opened(cookieIn(request)));
        return { headers: settingCookie(sealed({ accessToken, refreshToken, expiresAt })) };
      },
      close: auth.close,
    };
  },

  /** A sign-in is a `POST` of the tokens. Other requests are answered with the access token; `rejected` is one that was refused. */
  session(options, hear) {
    const sessions = new Map();
    const authOf = (session) => {
      if (!sessions.has(session)) sessions.set(session, coordinator({ ...options, session }, hear));
      return sessions.get(session);
    };
    return {
      async answer(request) {
        const auth = authOf(cookieIn(request));
        if (request.method === "POST") await auth.setTokens(JSON.parse(await bodyOf(request)));
        const { rejected } = request.headers;
        const { accessToken, expiresAt } = await (rejected ? auth.refresh({ rejected }) : auth.getTokens());
        return { body: { accessToken, expiresAt } };
      },
      close: () => sessions.forEach((auth) => auth.close()),
    };
  },
};

function coordinator(options, hear) {
  const auth = new RefreshCoordinator(options);
  auth.subscribe((event) => event && hear(event));
  return auth;
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}
