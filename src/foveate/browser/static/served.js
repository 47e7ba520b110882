/** Where the page begins that `foveate serve` serves. */

import { serverEngine } from "./server.js";
import { askKey, start } from "./start.js";

start(Promise.resolve(serverEngine(askKey)));
