// Opens a server on a free port of this machine's loopback interface, and closes it with all its connections.

import { once } from "node:events";

export async function listen(http) {
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    origin: `http://127.0.0.1:${http.address().port}`,
    async close() {
      const closed = once(http, "close");
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}
