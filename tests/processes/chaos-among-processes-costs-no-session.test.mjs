// Many processes with one credential file, whose access token expires again and again, while they are killed and stopped.

import { lockings } from "./lockings.mjs";
import { survivesChaos } from "./chaos/survives.mjs";

for (const { title, store, isLocked } of lockings) survivesChaos(title, { store, isLocked, loses: true });

const { store } = lockings.find(({ isLocked }) => isLocked);
survivesChaos("kernel lock, and a server that accepts the previous token for 10 s", { store, isLocked: true, grace: 10, loses: false });
