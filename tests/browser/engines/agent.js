// In every page of a site: does what the tests ask of the page, and tells them what nobody caught in it.
//
// A socket and no polling: hidden tabs are woken by it at once, it uses up none of the few connections that a page has for
// requests, and the tests hear it close when the page goes, however it goes.

(() => {
  let socket;
  let unsent = [];

  const tell = (message) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    else unsent.push(message);
  };

  const told = (error) => ({ name: error?.name ?? typeof error, message: error?.message ?? String(error), stack: error?.stack });

  async function evaluate({ id, source, argument }) {
    try {
      // Indirect, so that the function sees the page's globals only.
      tell({ id, value: await (0, eval)(`(${source})`)(argument) });
    } catch (error) {
      tell({ id, error: told(error) });
    }
  }

  function connect() {
    socket = new WebSocket(`ws://${location.host}/${location.search}`);
    socket.onmessage = ({ data }) => evaluate(JSON.parse(data));
    socket.onopen = () => {
      for (const message of unsent.splice(0)) tell(message);
    };
  }

  addEventListener("error", ({ error, message }) => tell({ uncaught: told(error ?? message) }));
  addEventListener("unhandledrejection", ({ reason }) => tell({ uncaught: told(reason) }));
  const isConnected = () => socket.readyState <= WebSocket.OPEN;
  const reconnect = () => isConnected() || connect();
  // A page with an open socket may not rest in the back/forward cache, and a frozen one would lose it.
  addEventListener("pagehide", ({ persisted }) => persisted && socket.close());
  addEventListener("pageshow", ({ persisted }) => persisted && reconnect());
  // Workers have none.
  globalThis.document?.addEventListener("freeze", () => {
    if (!isConnected()) return;
    tell({ frozen: true });
    socket.close();
  });
  globalThis.document?.addEventListener("resume", reconnect);
  // A worker does not hear that its page has rested. It hears who writes to it, or shares it.
  addEventListener("message", reconnect);
  addEventListener("connect", reconnect);
  connect();
})();
