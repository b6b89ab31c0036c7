// The operating system's process behind a tab.

/** Kills the process of a tab, as the system does when memory is short. */
export async function kill(page) {
  const gone = new Promise((resolve) => page.once("crash", resolve));
  process.kill(await processOf(page), "SIGKILL");
  await gone;
}

/** Stops the process of a tab where it stands. Returns a function by which it goes on, if it is still there. */
export async function halt(page) {
  const id = await processOf(page);
  process.kill(id, "SIGSTOP");
  return () => {
    try {
      process.kill(id, "SIGCONT");
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
}

/**
 * Which one it is, the browser does not say. It is the one that works while the tab is busy.
 */
async function processOf(page) {
  const session = await page.context().browser().newBrowserCDPSession();
  const renderers = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return new Map(processInfo.filter(({ type }) => type === "renderer").map(({ id, cpuTime }) => [id, cpuTime]));
  };
  const before = await renderers();
  await page.evaluate(() => {
    for (const end = performance.now() + 400; performance.now() < end; );
  });
  const after = await renderers();
  await session.detach();
  const worked = (id) => after.get(id) - (before.get(id) ?? 0);
  return [...after.keys()].reduce((busiest, id) => (worked(id) > worked(busiest) ? id : busiest));
}
