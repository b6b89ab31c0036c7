// What must hold in every engine, in stock WebKitGTK.

import { webkit } from "./webkit.mjs";
import { scenarios } from "./scenarios.mjs";

scenarios(webkit);
