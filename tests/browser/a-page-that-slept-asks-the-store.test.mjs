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
  await sleepy.evaluate(() => auth.signOut());
  await becomes(awake, "signed-out");
});

test("a page that is online again asks the store, whatever it has heard", async (t) => {
  const { context, awake, sleepy } = await twoTabs(t, deaf);
  await sleepy.evaluate(() => {
    const ask = (resolve) => () => resolve(auth.getAccessToken().catch((error) => error.name));
    globalThis.onlineAgain = new Promise((resolve) => addEventListener("online", ask(resolve)));
  });
  await context.setOffline(true);
  await awake.evaluate(() => auth.signOut());
  assert.equal(await accessToken(sleepy), "A1", "it was told of nothing");
  await context.setOffline(false);
  assert.equal(await sleepy.evaluate(() => globalThis.onlineAgain), "NoSessionError");
});

// Without a screen no tab is ever hidden or frozen, so the page is told what the browser would tell it.
for (const [what, wakeUp] of [
  ["shown again", () => document.dispatchEvent(new Event("visibilitychange"))],
  ["resumed", () => document.dispatchEvent(new Event("resume"))],
]) {
  test(`a page that is ${what} asks the store, whatever it has heard`, async (t) => {
    const { awake, sleepy } = await twoTabs(t, deaf);
    await sleepy.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await awake.evaluate(() => auth.signOut());
    assert.equal(await accessToken(sleepy), "A1", "it was told of nothing");
    await sleepy.evaluate(() => delete document.visibilityState);
    await sleepy.evaluate(wakeUp);
    assert.equal(await accessToken(sleepy), "NoSessionError");
  });
}

test("a coordinator that was closed listens to the page no more", async (t) => {
  const prepare = () => {
    globalThis.listening = new Set();
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    const moments = ["online", "resume", "visibilitychange", "pageshow", "pagehide", "message"];
    EventTarget.prototype.addEventListener = function (type, ...rest) {
      if (moments.includes(type)) listening.add(type);
      return addEventListener.call(this, type, ...rest);
    };
    EventTarget.prototype.removeEventListener = function (type, ...rest) {
      listening.delete(type);
      return removeEventListener.call(this, type, ...rest);
    };
  };
  const { sleepy } = await twoTabs(t, prepare);
  const [before, after] = await sleepy.evaluate(() => {
    const before = [...listening];
    auth.close();
    return [before, [...listening]];
  });
  assert.deepEqual(before.sort(), ["message", "online", "pagehide", "pageshow", "resume", "visibilitychange"]);
  assert.deepEqual(after, []);
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
