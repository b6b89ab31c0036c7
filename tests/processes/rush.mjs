// So many processes on one credential file whose access token has expired: all of them ask before anybody is answered.

import assert from "node:assert/strict";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { here, start } from "./programs.mjs";
import { signInTo } from "./sign-in.mjs";

/** A slow machine is no reason to give up, in milliseconds. */
const PATIENCE = { timeout: 60_000, lockWait: 120_000, callTimeout: 150_000, storeTimeout: 60_000 };

/**
 * Fails if not everybody has the token of one rotation. Returns the tokens, and how many `seconds` it took to the last end: `all` from the
 * first start, `asking` from the first question.
 */
export async function rush(t, { path, store, processes, runtimes = [here] }) {
  const server = await startAuthorizationServer();
  t.after(() => server.close());
  const options = { clientId: PUBLIC_CLIENT, tokenEndpoint: server.tokenEndpoint, ...PATIENCE };
  const { tokens, session } = await server.signIn();
  await signInTo(path, options, { ...tokens, expires_in: undefined, expires_at: Date.now() - 1_000 });

  // Nobody asks before all are there, and nobody is answered before all have asked.
  const held = server.holdRequest();
  const begun = performance.now();
  let asked;
  const count = { ready: 0, asked: 0 };
  const tellAll = () => commands.forEach(({ end }) => end());
  const commands = Array.from({ length: processes }, (_, index) => {
    const heard = {};
    const program = start(runtimes[index % runtimes.length], "once.mjs", { path, store, options }, (line) => {
      for (const step of Object.keys(count)) if (line[step]) count[step] += 1;
      if (line.ready && count.ready === processes) {
        asked = performance.now();
        tellAll();
      }
      if (line.asked && count.asked === processes) held.release();
      Object.assign(heard, line);
    });
    const gone = program.gone.then(({ how, said }) => {
      // Nobody waits for one who has failed.
      tellAll();
      held.release();
      return { ...heard, how, said };
    });
    return { ...program, gone };
  });
  const ended = await Promise.all(commands.map(({ gone }) => gone));
  const over = performance.now();

  for (const { how, said } of ended) assert.equal(how, 0, said);
  const got = ended.map(({ token }) => token);
  assert.equal(new Set(got).size, 1);
  assert.equal(await server.isActive(got[0]), true);
  assert.deepEqual(server.oracle.counts(session), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
  assert.equal(server.oracle.presentations, 1);
  return { tokens: got, seconds: { all: (over - begun) / 1_000, asking: (over - asked) / 1_000 } };
}
