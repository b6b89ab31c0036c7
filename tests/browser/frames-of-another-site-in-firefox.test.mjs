// Third-party frames in Firefox, which gives each top-level site a partition of its own.

import { required } from "./executable.mjs";
import { testPartitions } from "./engines/partitions.mjs";

testPartitions({
  browser: "firefox",
  executablePath: required("FIREFOX"),
  // The driver's profile has it off, users have it on.
  extraPrefsFirefox: { "network.cookie.cookieBehavior": 5 },
});
