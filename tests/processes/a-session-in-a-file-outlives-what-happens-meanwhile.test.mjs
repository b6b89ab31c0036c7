// Two processes, one file, a real authorization server: what one does while the other refreshes.

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { folder, json, start } from "./file/scene.mjs";
import { refreshesOnce } from "./file/shared-refresh.mjs";

const LOCKINGS = { "with the kernel's locks": {}, "without locks": { lock: false } };

for (const [locking, store] of Object.entries(LOCKINGS)) {
  const scene = async (t, more = [{}, {}]) => {
    const server = await startAuthorizationServer();
    t.after(() => server.close());
    const path = join(await folder(t), "credentials.json");
    const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint, revocationEndpoint: server.revocationEndpoint };
    const { tokens, session } = await server.signIn();
    const processes = await Promise.all(
      more.map(({ options: own, ...settings }) => start(t, { path, store, options: { ...options, ...own }, ...settings })),
    );
    await processes[0].auth("setTokens", tokens);
    return { server, path, tokens, session, processes };
  };

  for (const hold of ["holdRequest", "holdReply"]) {
    test(`a sign-out in another process during a refresh (${hold}) ends the session, and what the refresh brought is revoked, ${locking}`, async (t) => {
      const { server, path, tokens, session, processes: [one, other] } = await scene(t);
      const held = server[hold]();
      const refreshed = one.auth("refresh");
      await held.arrived;
      assert.deepEqual(await other.auth("signOut"), { revoked: true });
      held.release();
      await assert.rejects(refreshed, { name: "NoSessionError" });
      await one.auth("drainRevocations");
      assert.equal(await server.hasSession(session), false);
      const left = JSON.stringify(await json(path));
      for (const token of server.oracle.issued) assert.equal(left.includes(token), false, "a token is left in the file");
      assert.ok(server.oracle.issued.includes(tokens.refresh_token));
      for (const process of [one, other]) await assert.rejects(process.auth("getAccessToken"), { name: "NoSessionError" });
    });

    test(`a sign-in in another process during a refresh (${hold}) is what both have afterwards, ${locking}`, async (t) => {
      const { server, processes: [one, other] } = await scene(t);
      const held = server[hold]();
      const refreshed = one.auth("refresh");
      await held.arrived;
      const { tokens: others, session } = await server.signIn();
      await other.auth("setTokens", others);
      held.release();
      await assert.rejects(refreshed, { name: "NoSessionError" });
      for (const process of [one, other]) assert.equal(await process.auth("getAccessToken"), others.access_token);
      const { refreshToken } = await one.auth("refresh");
      assert.equal(await server.isAlive(refreshToken), true);
      assert.equal(server.oracle.counts(session).rotations, 1);
    });
  }

  for (const [minutes, hold] of [[-90, "holdRequest"], [2, "holdReply"]]) {
    test(`processes whose clocks are ${minutes} minutes apart rotate once, ${locking}`, async (t) => {
      const all = await scene(t, [{}, { ahead: minutes * 60_000 }]);
      await refreshesOnce(all, all.processes, hold);
    });
  }

  test(`a process to whose clock every token has expired long ago refreshes for itself, and nobody loses the session, ${locking}`, async (t) => {
    const { server, session, tokens, processes: [one, other] } = await scene(t, [{}, { ahead: 90 * 60_000 }]);
    const held = server.holdReply();
    const first = one.auth("refresh");
    await held.arrived;
    const second = other.auth("refresh", { rejected: tokens.access_token });
    await other.event({ type: "waiting" });
    held.release();
    const { refreshToken } = await first;
    const { refreshToken: newest } = await second;
    assert.notEqual(newest, refreshToken);
    assert.equal(await server.isAlive(newest), true);
    assert.equal((await one.auth("refresh", { rejected: (await first).accessToken })).refreshToken, newest);
    assert.deepEqual([server.oracle.counts(session).rotations, server.oracle.counts(session).reuses], [2, 0]);
  });

  test(`two sessions in one file are refreshed each on its own, at once, ${locking}`, async (t) => {
    const { server, path, tokens, session, processes: [one, other] } = await scene(t, [{}, { options: { session: "work" } }]);
    const { tokens: others, session: work } = await server.signIn();
    await other.auth("setTokens", others);
    const [first, second] = [server.holdReply(), server.holdReply()];
    const refreshed = [one.auth("refresh"), other.auth("refresh")];
    await Promise.all([first.arrived, second.arrived]);
    second.release();
    first.release();
    const got = await Promise.all(refreshed);
    for (const { refreshToken } of got) assert.equal(await server.isAlive(refreshToken), true);
    assert.deepEqual([session, work].map((each) => server.oracle.counts(each).rotations), [1, 1]);
    await one.auth("signOut");
    assert.equal((await other.auth("getTokens")).refreshToken, got[1].refreshToken);
    assert.equal(JSON.stringify(await json(path)).includes(tokens.refresh_token), false);
  });
}
