// What must hold in every engine, in stock WebKitGTK.

import { webkit } from "./engines/webkit.mjs";
import { scenarios } from "./engines/scenarios.mjs";

scenarios(webkit);
