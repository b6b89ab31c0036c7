// What must hold in every engine, in stock Firefox.

import { firefox } from "./firefox.mjs";
import { scenarios } from "./scenarios.mjs";

scenarios(firefox);
