/** Modules of Node's, under names that no bundler follows: elsewhere they do not exist, and are not needed. */

const { process } = globalThis as { process?: { versions?: { node?: unknown }; getBuiltinModule?: (name: string) => unknown } };

/** Is this Node, or a host that passes for it? */
export const inNode = typeof process?.versions?.node === "string";

/** The module at once; `undefined` where there is none, and in Node before 20.16 and 22.3, which cannot hand it over at once. */
export function builtin(name: string): unknown {
  try {
    return process?.getBuiltinModule?.(name);
  } catch {
    return undefined;
  }
}

/** The module; rejects where there is none. */
export function importBuiltin(name: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}
