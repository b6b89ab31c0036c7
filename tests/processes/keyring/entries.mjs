// A keyring whose entries are files of a folder: several processes have the same, and it can be locked, lose things and lie.

import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A keyring in this folder. While there is a file `locked` in it, it says nothing and takes nothing. */
export function entriesIn(folder) {
  return (service, account) => {
    const file = join(folder, encodeURIComponent(`${service} ${account}`));
    const unlocked = async () => {
      await mkdir(folder, { recursive: true });
      if (await stat(join(folder, "locked")).catch(() => undefined)) throw new Error("the keyring is locked");
    };
    return {
      async getPassword() {
        await unlocked();
        return readFile(file, "utf8").catch(() => null);
      },
      async setPassword(text) {
        await unlocked();
        await writeFile(file, text);
      },
      async deletePassword() {
        await unlocked();
        await rm(file, { force: true });
      },
    };
  };
}
