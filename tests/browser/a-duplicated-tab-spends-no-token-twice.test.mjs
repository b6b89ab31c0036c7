// An app keeps the tokens it signed in with in sessionStorage, and hands them to the coordinator whenever a page begins. A tab that is
// duplicated takes a copy along, which grows old: whichever copy is handed in, whenever, the token in it is presented once.

import assert from "node:assert/strict";
import test from "node:test";

import { strict } from "../authorization-server/personalities.mjs";
import { calls, signedInTabs } from "./signed-in-tabs.mjs";

/** A tab whose app keeps the reply of the sign-in in sessionStorage. */
async function tabWithACopy(t) {
  const all = await signedInTabs(t, 1, strict);
  const { server, pages } = all;
  const { tokens, session } = await server.signIn();
  // What it signed in with has run out.
  const { expires_in: _, ...reply } = { ...tokens, expires_at: Math.floor(Date.now() / 1_000) - 1 };
  await pages[0].evaluate((reply) => sessionStorage.setItem("tokens", JSON.stringify(reply)), reply);
  return { ...all, session };
}

/** Another tab with a copy of the first one's sessionStorage, as when a user duplicates it. */
async function duplicate({ pages, begin }) {
  const opened = pages[0].waitForEvent("popup");
  await pages[0].evaluate(() => void open("/"));
  const page = await opened;
  await page.waitForLoadState();
  assert.ok(await page.evaluate(() => sessionStorage.getItem("tokens")), "the browser has copied it");
  return begin(page);
}

const ways = {
  /** The coordinator keeps the session, and is told of the copy when a page begins. */
  "signs in with its copy": (page) =>
    page.evaluate(async () => {
      await auth.setTokens(JSON.parse(sessionStorage.getItem("tokens")));
      return auth.getAccessToken();
    }),
  /** The page carries the tokens, and asks what has become of them. */
  "renews its copy": (page) =>
    page.evaluate(async () => {
      const { accessToken, refreshToken, expiresAt } = await auth.renew(JSON.parse(sessionStorage.getItem("tokens")));
      sessionStorage.setItem("tokens", JSON.stringify({ accessToken, refreshToken, expiresAt }));
      return accessToken;
    }),
};

async function assertServedAlike({ server, session }, tokens) {
  assert.equal(new Set(tokens).size, 1, `the tabs have ${tokens.join(", ")}`);
  assert.equal(await server.isActive(tokens[0]), true);
  assert.equal(await server.hasSession(session), true);
  const { rotations, reuses } = server.oracle.counts(session);
  assert.deepEqual({ presentations: server.oracle.presentations, rotations, reuses }, { presentations: 1, rotations: 1, reuses: 0 });
}

// Symptom of authts/oidc-client-ts#1648 and damienbod/angular-auth-oidc-client#1366.
for (const [how, begins] of Object.entries(ways)) {
  test(`each tab ${how} at the same time: one request, and the same token in both`, async (t) => {
    const all = await tabWithACopy(t);
    const copy = await duplicate(all);
    await assertServedAlike(all, await Promise.all([all.pages[0], copy].map(begins)));
  });

  test(`the duplicate ${how} long after the first tab did: it gets the token of the first tab, without a request`, async (t) => {
    const all = await tabWithACopy(t);
    const copy = await duplicate(all);
    const first = await begins(all.pages[0]);
    await assertServedAlike(all, [first, await begins(copy)]);
  });
}

test("a duplicate whose copy is three refreshes old is taken along to the session as it is", async (t) => {
  const all = await tabWithACopy(t);
  const copy = await duplicate(all);
  await ways["signs in with its copy"](all.pages[0]);
  for (let number = 0; number < 3; number += 1) await all.pages[0].evaluate(() => auth.refresh().then(() => {}));
  const [token] = await calls(all.pages[0], 1);
  assert.equal(await ways["signs in with its copy"](copy), token);
  assert.equal(await all.server.hasSession(all.session), true);
  assert.equal(all.server.oracle.counts(all.session).reuses, 0);
});
