// Plays one scene with one client against a real authorization server, and judges how it ended.

import { PUBLIC_CLIENT, startAuthorizationServer } from "../../tests/authorization-server/provider.mjs";

const LIFETIME = 300;

export async function play(scene, Client) {
  const server = await startAuthorizationServer(scene.personality, { accessTokenLifetime: LIFETIME });
  try {
    const { tokens, session } = await server.signIn();
    let passed = 0;
    const now = () => Math.floor(performance.timeOrigin + performance.now()) + passed;
    const expire = () => (passed += LIFETIME * 1000);
    const client = await Client.signedIn({ server, clientId: PUBLIC_CLIENT, tokens, now, grace: scene.grace });
    try {
      const calls = await scene.play({ client, server, tokens, expire });
      return await judged(scene, calls, server, session);
    } finally {
      client.close();
    }
  } finally {
    await server.close();
  }
}

async function judged({ ends }, calls, server, session) {
  const served = calls.filter(({ status }) => status === "fulfilled").length;
  const alive = await server.hasSession(session);
  const refusals = calls.filter(({ status }) => status === "rejected").map(({ reason }) => told(reason));
  return {
    asked: calls.length,
    served,
    presentations: server.oracle.presentations,
    alive,
    told: [...new Set(refusals)].join(", "),
    good: { undefined: alive && served === calls.length, lost: true, "signed out": !alive && served === 0 }[ends],
  };
}

/** What a caller learns from an error. */
function told(error) {
  const reason = error.reason ? ` ${error.reason}` : "";
  if (error.code && error.fault) return `${error.name}${reason}`;
  return /"error":"([a-z_]+)"/.exec(error.message)?.[1] ?? error.message;
}
