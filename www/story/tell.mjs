// The story of `npm run story`: six scenes on a real authorization server, played by hand and with the package.
//
// Ends by itself; the exit code is 0 only if the package kept every session that can be kept.

import { ByHand } from "./by-hand.mjs";
import { Coordinated } from "./coordinated.mjs";
import { scenes } from "./scenes.mjs";
import { play } from "./stage.mjs";
import { head, row, title } from "./table.mjs";

const clients = [ByHand, Coordinated];
const kept = new Map(clients.map((client) => [client, 0]));

console.log("An authorization server (oidc-provider) that rotates refresh tokens, and ends the session of whoever presents one");
console.log("twice. Two clients: a careful one, written by hand, and this package. + ended as it should, - did not.\n");
console.log(head());

for (const scene of scenes) {
  console.log(`\n${title(scene.title)}`);
  for (const Client of clients) {
    const result = await play(scene, Client);
    console.log(row(Client.title, result, scene.ends));
    if (result.good && scene.ends !== "lost") kept.set(Client, kept.get(Client) + 1);
  }
  if (scene.ends === "lost") console.log("    The only copy of the new token is gone: nobody can keep this session, but one can say why it ended.");
  if (scene.ends === "signed out") console.log("    Whoever is served here is served after the sign-out.");
}

const possible = scenes.filter(({ ends }) => ends !== "lost").length;
console.log(`\n${title("Ended as they should")}, of ${possible} scenes that can:`);
for (const Client of clients) console.log(`    ${Client.title.padEnd(20)}  ${kept.get(Client)}`);

process.exitCode = kept.get(Coordinated) === possible ? 0 : 1;
