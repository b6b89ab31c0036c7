// Pages that were frozen, hidden, offline or in the back/forward cache have missed what others said in the meantime.

import assert from "node:assert/strict";
import test from "node:test";

import { devtools, origin, profile, tab } from "./chromium.mjs";
import { accessToken, becomes, coordinatorTab, happened, Issuer } from "./single-use.mjs";

/** Two tabs with a fresh token; the second one is to sleep. */
async function twoTabs(t, prepare) {
  const context = await profile(t, { prepare });
  const issuer = new Issuer(context);
  await issuer.ready;
  const awake = await coordinatorTab(t, context);
  const sleepy = await coordinatorTab(t, context);
  await awake.evaluate((tokens) => auth.setTokens(tokens), issuer.signIn());
  assert.equal(await accessToken(sleepy), "A1");
  return { context, issuer, awake, sleepy };
}

/** Nothing is heard from other tabs, nor said to them: only the page's own life can tell. */
const deaf = () => {
  BroadcastChannel.prototype.postMessage = () => {};
};

test("a page that comes back from the back/forward cache refuses what was signed out meanwhile", async (t) => {
  const { awake, sleepy } = await twoTabs(t);
  await sleepy.evaluate(() => {
    globalThis.shownAgain = new Promise((resolve) => addEventListener("pageshow", ({ persisted }) => resolve(persisted)));
  });
  await sleepy.goto(`${origin()}/elsewhere`);
  await awake.evaluate(() => auth.signOut());
  await sleepy.goBack({ waitUntil: "commit" });
  assert.equal(await sleepy.evaluate(() => globalThis.shownAgain), true, "it was in the cache");
  assert.equal(await accessToken(sleepy), "NoSessionError");
});

test("and its channel works again", async (t) => {
  const { issuer, awake, sleepy } = await twoTabs(t);
  await sleepy.evaluate(() => {
    globalThis.shownAgain = new Promise((resolve) => addEventListener("pageshow", ({ persisted }) => resolve(persisted)));
  });
  await sleepy.goto(`${origin()}/elsewhere`);
  await sleepy.goBack({ waitUntil: "commit" });
  assert.equal(await sleepy.evaluate(() => globalThis.shownAgain), true);
  assert.equal(await accessToken(sleepy), "A1");
  await awake.evaluate((tokens) => auth.setTokens(tokens), issuer.signIn());
  await happened(sleepy, "signed-in");
  assert.equal(await accessToken(sleepy), "A2");
  const heard = happened(awake, "signed-out").catch(() => {});
  await sleepy.evaluate(() => auth.signOut());
  await becomes(awake, "signed-out");
  void heard;
});

for (const [moment, sleep, wakeUp] of [
  [
    "is resumed",
    (session) => session.send("Page.setWebLifecycleState", { state: "frozen" }),
    (session) => session.send("Page.setWebLifecycleState", { state: "active" }),
  ],
  [
    "is online again",
    (session, context) => context.setOffline(true),
    (session, context) => context.setOffline(false),
  ],
]) {
  test(`a page that ${moment} asks the store, whatever it has heard`, async (t) => {
    const { context, awake, sleepy } = await twoTabs(t, deaf);
    const event = moment === "is resumed" ? "resume" : "online";
    await sleepy.evaluate((event) => {
      const target = event === "resume" ? document : globalThis;
      globalThis.awake = new Promise((resolve) => target.addEventListener(event, () => resolve(auth.getAccessToken().catch((error) => error.name))));
    }, event);
    const session = await devtools(sleepy);
    await sleep(session, context);
    await awake.evaluate(() => auth.signOut());
    await wakeUp(session, context);
    assert.equal(await sleepy.evaluate(() => globalThis.awake), "NoSessionError");
  });
}

test("a page that is shown again asks the store, whatever it has heard", async (t) => {
  const { awake, sleepy } = await twoTabs(t, deaf);
  await awake.evaluate(() => auth.signOut());
  assert.equal(await accessToken(sleepy), "A1", "it was told of nothing");
  const status = (state) =>
    sleepy.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
      return auth.getAccessToken().catch((error) => error.name);
    }, state);
  assert.equal(await status("hidden"), "A1");
  assert.equal(await status("visible"), "NoSessionError");
});

test("a coordinator that was closed hears nothing more of the page, nor on the channel", async (t) => {
  const { sleepy } = await twoTabs(t);
  const after = await sleepy.evaluate(async () => {
    const opened = [];
    const open = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (...args) {
      opened.push(args[0]);
      return open.apply(this, args);
    };
    auth.close();
    dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("resume"));
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    const code = await auth.getAccessToken().catch((error) => error.code);
    return { code, opened };
  });
  assert.deepEqual(after, { code: "closed", opened: [] });
});

test("wrong options leave no channel behind", async (t) => {
  const page = await tab(t, await profile(t, {
    prepare: () => {
      globalThis.channels = 0;
      globalThis.BroadcastChannel = class extends BroadcastChannel {
        constructor(name) {
          super(name);
          channels += 1;
        }
        close() {
          channels -= 1;
          super.close();
        }
      };
    },
  }));
  const left = await page.evaluate(async () => {
    const { RefreshCoordinator } = await import("/pkg/index.js");
    const make = (options) => {
      try {
        return new RefreshCoordinator({ name: "x", refresh: () => {}, ...options });
      } catch (error) {
        return error.code;
      }
    };
    const code = make({ lockWait: "long" });
    const afterWrong = channels;
    const right = make({});
    const open = channels;
    right.close();
    return { code, afterWrong, open, closed: channels };
  });
  assert.deepEqual(left, { code: "invalid-option", afterWrong: 0, open: 1, closed: 0 });
});
