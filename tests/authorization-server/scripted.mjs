// A token endpoint that answers exactly the bytes it was told to, for replies no real server should ever send.

import { createServer } from "node:net";

import { listen } from "./listen.mjs";

/** One reply as raw HTTP. `length` may lie; `null` leaves it out, and the end of the connection ends the body. */
export function reply(body, { status = 200, type = "application/json", headers = {}, length = Buffer.byteLength(body) } = {}) {
  const lines = [`HTTP/1.1 ${status} Scripted`, "Connection: close"];
  if (type !== null) lines.push(`Content-Type: ${type}`);
  if (length !== null) lines.push(`Content-Length: ${length}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(lines.join("\r\n") + "\r\n\r\n"), Buffer.from(body)]);
}

/** Starts the server. Each request takes the next reply of the script; the last one is repeated. */
export async function startScriptedServer(...script) {
  const requests = [];
  const sockets = new Set();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    let request = "";
    socket.on("data", (chunk) => {
      request += chunk;
      const [head, body] = request.split("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body === undefined || Buffer.byteLength(body) < length) return;
      requests.push({ head, form: new URLSearchParams(body) });
      socket.end(script[Math.min(requests.length, script.length) - 1]);
    });
    // A client that has read enough hangs up.
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  tcp.closeAllConnections = () => sockets.forEach((socket) => socket.destroy());
  const { origin, close } = await listen(tcp);
  return { requests, tokenEndpoint: `${origin}/token`, close };
}
