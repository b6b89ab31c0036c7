// A seeded run of whatever may happen to tabs and workers, in stock Firefox.

import { firefox } from "./engines/firefox.mjs";
import { survivesChaos } from "./chaos/survives.mjs";

survivesChaos(firefox);
