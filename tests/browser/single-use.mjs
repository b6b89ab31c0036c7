// Tabs that are signed in at an issuer whose refresh tokens are single-use: who presents one twice has lost the session.

import { tab } from "./chromium.mjs";

/** The issuer. Every tab of the context reaches it. */
export class Issuer {
  /** All presentations, in order: each says what became of it. */
  presentations = [];
  /** In the place of an answer, as long as it is set: waited for. */
  before = undefined;
  /** Further members of its replies. */
  more = {};

  #generation = 0;
  #arrivals = [];

  constructor(context) {
    this.ready = context.exposeFunction("present", (refreshToken) => this.#present(refreshToken));
  }

  /** The tokens of a new session. `expired`: of its access token nothing is left. */
  signIn({ expired = false } = {}) {
    const { refresh_token, ...rest } = this.#tokens();
    return expired ? { refresh_token } : { refresh_token, ...rest };
  }

  /** Waits until a token is presented. */
  presented() {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  async #present(refreshToken) {
    const granted = refreshToken === `R${this.#generation}`;
    this.presentations.push(granted ? "granted" : "reused");
    const tokens = granted ? this.#tokens() : undefined;
    for (const arrived of this.#arrivals.splice(0)) arrived();
    await this.before;
    return tokens ?? { error: "invalid_grant" };
  }

  #tokens() {
    this.#generation += 1;
    return { access_token: `A${this.#generation}`, refresh_token: `R${this.#generation}`, expires_in: 3_600, ...this.more };
  }
}

/**
 * A tab with a coordinator in it, as `auth`, and what it has said so far, as `events`. `stores` are options of the stores of
 * `refresh-coordinator/stores/web`, by the name of the store; what cannot be handed over is in the page's own `storeOptions`.
 */
export async function coordinatorTab(t, context, { stores = {}, ...options } = {}) {
  const page = await tab(t, context);
  await page.evaluate(async ({ stores, ...options }) => {
    const [{ RefreshCoordinator }, web] = await Promise.all([import("/pkg/index.js"), import("/pkg/stores/web.js")]);
    for (const [name, given] of Object.entries(stores)) options.store = web[name]({ ...given, ...globalThis.storeOptions });
    const refresh = async ({ refreshToken }) => {
      const reply = await present(refreshToken);
      return new Response(JSON.stringify(reply), { status: reply.error ? 400 : 200 });
    };
    globalThis.auth = new RefreshCoordinator({ name: "single-use", refresh, ...options });
    globalThis.store = options.store;
    globalThis.events = [];
    auth.subscribe((event) => event && events.push(event));
  }, { stores, ...options });
  return page;
}

/** The access token in a tab, or the name of the error. */
export const accessToken = (page) => page.evaluate(() => auth.getAccessToken().catch((error) => error.name));

/** Waits for an event of that type in a tab, which may have come already. */
export const happened = (page, type) =>
  page.evaluate(
    (type) =>
      new Promise((resolve) => {
        const found = () => {
          const event = events.find((event) => event.type === type);
          if (event) resolve(event);
          return event;
        };
        if (!found()) auth.subscribe(found);
      }),
    type,
  );

/** Waits until the snapshot of a tab has this status. */
export const becomes = (page, status) =>
  page.evaluate(
    (status) =>
      new Promise((resolve) => {
        const look = () => auth.getSnapshot().status === status && resolve();
        auth.subscribe(look);
        look();
      }),
    status,
  );
