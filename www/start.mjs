// The demo of `npm start`: serves the page until it is told to stop, and then ends with nothing left behind.

import { startPageServer } from "./server/page-server.mjs";

const server = await startPageServer();
console.log(`
  The demo is at   ${server.origin}/

  Two authorization servers that rotate refresh tokens run beside it, one for each half of the page.
  Ctrl-C ends them all. The same story in the terminal: npm run story
`);

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
