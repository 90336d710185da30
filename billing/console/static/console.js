// The only script: blocks that are live follow what happens. Without it every page is whole, as it was when asked for.
"use strict";
