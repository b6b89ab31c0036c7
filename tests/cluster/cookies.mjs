// The cookie of the app: its text, in requests and in responses.

const NAME = "session";

export const cookieIn = ({ headers }) => new RegExp(`(?:^|; )${NAME}=([^;]*)`).exec(headers.cookie ?? "")?.[1];

export const withCookie = (text) => ({ cookie: `${NAME}=${text}` });

export const settingCookie = (text) => ({ "set-cookie": `${NAME}=${text}; HttpOnly; Path=/; SameSite=Lax` });

/** Of a response of `fetch`: what the jar holds from now on, if it says so. */
export const cookieSet = (response) =>
  response.headers
    .getSetCookie()
    .map((line) => new RegExp(`^${NAME}=([^;]*)`).exec(line)?.[1])
    .find((text) => text !== undefined);

/** Tokens as the text of a cookie, and back. An app would encrypt it. */
export const sealed = (tokens) => Buffer.from(JSON.stringify(tokens)).toString("base64url");
export const opened = (text) => JSON.parse(Buffer.from(text, "base64url"));
