// What must hold in every engine, in stock Chromium.

import { chromium } from "./engines/chromium.mjs";
import { scenarios } from "./engines/scenarios.mjs";

scenarios(chromium);
