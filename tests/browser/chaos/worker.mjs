// A dedicated or shared worker of a chaos run: does what it is asked over its socket.

import "../engines/agent.js";
