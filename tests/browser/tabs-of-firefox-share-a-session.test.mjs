// What must hold in every engine, in stock Firefox.

import { firefox } from "./engines/firefox.mjs";
import { scenarios } from "./engines/scenarios.mjs";

scenarios(firefox);
