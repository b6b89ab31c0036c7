// A client of the WebDriver protocol (W3C WebDriver, level 2), as small as what is asked of it here.

/** One session with a driver that listens at `url`. */
export class WebDriver {
  #session;
  /** The current window is the session's, not the command's: one command after the other. */
  #last = Promise.resolve();

  static async begin(url, capabilities) {
    const driver = new WebDriver();
    const { sessionId } = await command("POST", `${url}/session`, { capabilities: { alwaysMatch: capabilities } });
    driver.#session = `${url}/session/${sessionId}`;
    return driver;
  }

  /** Runs commands, none of which meets another's: each is a method, a path below the session and a body. */
  run(...commands) {
    const run = async () => {
      let value;
      for (const [method, path, body] of commands) value = await command(method, this.#session + path, body);
      return value;
    };
    const ran = this.#last.then(run);
    this.#last = ran.catch(() => {});
    return ran;
  }

  /** The same in one window. */
  runIn(window, ...commands) {
    return this.run(["POST", "/window", { handle: window }], ...commands);
  }

  end() {
    return this.run(["DELETE", ""]);
  }
}

async function command(method, url, body) {
  const response = await fetch(url, { method, ...(method === "POST" && { body: JSON.stringify(body ?? {}) }) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${value.error}: ${value.message}`);
  return value;
}
