// Third-party frames in Chromium, which gives each top-level site a partition of its own.

import { testPartitions } from "./engines/partitions.mjs";
import { required } from "./executable.mjs";

// Another driver than elsewhere: this one leaves the partitions as users have them.
testPartitions({ executablePath: required("CHROMIUM"), args: ["--no-sandbox"] });
