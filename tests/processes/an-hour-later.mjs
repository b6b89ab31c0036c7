// In a process that imports this first it is an hour later.

const { now } = Date;
Date.now = () => now() + 3_600_000;
