// A seeded run of whatever may happen to tabs and workers, in stock Chromium.

import { chromium } from "./engines/chromium.mjs";
import { survivesChaos } from "./chaos/survives.mjs";

survivesChaos(chromium);
