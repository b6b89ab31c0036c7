// A seeded run of whatever may happen to tabs and workers, in stock WebKitGTK.

import { webkit } from "./engines/webkit.mjs";
import { survivesChaos } from "./chaos/survives.mjs";

survivesChaos(webkit);
