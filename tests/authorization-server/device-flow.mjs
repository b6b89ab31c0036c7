// The sign-in of a command-line tool (RFC 8628): the server's part of it, and what a user does who agrees.

import assert from "node:assert/strict";

import { header, kept } from "./user-agent.mjs";

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

/** Middleware that makes tools ask more often than they would of their own accord. */
export async function deviceFlow(context, next) {
  await next();
  if (context.path === "/device/auth" && context.body?.user_code) context.body.interval = INTERVAL;
}

/** Goes to the page, enters the code and agrees to everything, as a browser would. */
export async function approve(page, code) {
  let [url, init, cookies, html] = [page, {}, new Map(), ""];
  while (html !== DONE) {
    const response = await fetch(url, { ...init, headers: { cookie: header(cookies) }, redirect: "manual" });
    cookies = kept(cookies, response);
    const location = response.headers.get("location");
    html = await response.text();
    assert.ok(location !== null || html === DONE || (response.ok && html.includes("<form")), `${url} answered ${response.status}: ${html}`);
    init = location === null ? { method: "POST", body: filled(html, code) } : {};
    url = new URL(location ?? /<form[^>]* action="([^"]*)"/.exec(html)?.[1] ?? url, url).href;
  }
}

/** What a page's form sends: its hidden fields, and the code where it asks for one. */
function filled(html, code) {
  const hidden = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  const asks = /<input[^>]* type="text" name="user_code"/.test(html);
  return new URLSearchParams([...hidden, ...(asks ? [["user_code", code]] : [])]);
}
