// What a program of these tests is told, and how it speaks. Keeps no program alive: whoever is to be heard must have a life of its own.

export const settings = JSON.parse(process.argv[2]);

const heard = new Map();
process.on("message", (word) => heard.get(word)?.());
process.channel.unref();

/** Sent before anything else happens. */
export const say = (name, value) => process.send({ say: name, value });

/** Settled when the test says so. Keeps nothing alive. */
export const told = (word) => new Promise((resolve) => heard.set(word, resolve));
