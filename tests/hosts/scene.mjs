// A strict authorization server with two sessions: one whose access token has expired, one that is over. The server's own
// events say whether what a host reports is true.

import assert from "node:assert/strict";

import { PUBLIC_CLIENT, startAuthorizationServer } from "../authorization-server/provider.mjs";
import { strict } from "../authorization-server/personalities.mjs";

const CALLERS = 100;

export async function scene(row, { clientId = PUBLIC_CLIENT } = {}) {
  const server = await startAuthorizationServer(strict);
  row.after(() => server.close());
  const [living, over] = [await server.signIn({ clientId }), await server.signIn()];
  await revoke(server, over.tokens.refresh_token);
  const settings = {
    callers: CALLERS,
    clientId,
    tokenEndpoint: server.tokenEndpoint,
    stale: expired(living.tokens),
    over: expired(over.tokens),
  };
  return { server, settings, session: living.session, ...verdicts(server, living.session, settings) };
}

function verdicts(server, session, settings) {
  /** One token for all, which the server has just minted, for one presentation. */
  async function believeTokens(tokens) {
    assert.equal(new Set(tokens).size, 1, "all callers have the same token");
    assert.notEqual(tokens[0], settings.stale.access_token);
    assert.equal(await server.isActive(tokens[0]), true, "and the server knows it");
    assert.deepEqual(server.oracle.counts(session), { granted: 1, refused: 0, rotations: 1, reuses: 0, revocations: 0, signOuts: 0 });
  }

  /** Holds what `story()` returned against what the server has seen. Says what was done. */
  async function believe({ identical, tokens, error }, { contexts = 1 } = {}) {
    assert.equal(identical, true, "all callers hold the identical promise");
    assert.equal(tokens.length, settings.callers * contexts);
    await believeTokens(tokens);
    assert.deepEqual(error, REFUSAL);
    assert.equal(server.oracle.presentations, 2, "each of the two sessions presented its token once");
    return `${tokens.length} callers, 1 rotation; 1 typed refusal`;
  }
  return { believe, believeTokens };
}

/** What the session that is over must cause. */
const REFUSAL = {
  name: "RevokedError",
  code: "refresh-token-refused",
  status: 400,
  oauthError: "invalid_grant",
  signInRequired: true,
  classes: ["RefreshError", "RevokedError", "Error"],
};

/** As the client has it some time later. */
function expired({ expires_in, ...tokens }) {
  return { ...tokens, expires_at: Date.now() - expires_in * 1000 };
}

async function revoke(server, token) {
  const { ok } = await fetch(server.revocationEndpoint, {
    method: "POST",
    body: new URLSearchParams({ client_id: PUBLIC_CLIENT, token, token_type_hint: "refresh_token" }),
  });
  assert.ok(ok);
}
