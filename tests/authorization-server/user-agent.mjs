// What a browser does for a user who signs in at the authorization server, without a browser: it keeps cookies, follows redirects,
// and presses the one button of every page.

import assert from "node:assert/strict";

/** From the authorization request to where the server sends its answer; returns that address, which is not opened. */
export async function signsInAt(authorizationUrl) {
  const { origin } = new URL(authorizationUrl);
  let [url, method, cookies] = [authorizationUrl, "GET", new Map()];
  while (new URL(url).origin === origin) {
    const response = await fetch(url, { method, headers: { cookie: header(cookies) }, redirect: "manual" });
    cookies = kept(cookies, response);
    const location = response.headers.get("location");
    assert.ok(location !== null || (method === "GET" && response.status === 200), `${url} answered ${response.status}`);
    method = location === null ? "POST" : "GET";
    url = new URL(location ?? url, url).href;
  }
  return url;
}

/** The cookies after a response. All are sent everywhere: nobody here has two of one name. */
export function kept(before, response) {
  const cookies = new Map(before);
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value === "" || /max-age=0/i.test(line)) cookies.delete(name);
    else cookies.set(name, value);
  }
  return cookies;
}

/** The cookies as a request carries them. */
export function header(cookies) {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
}
