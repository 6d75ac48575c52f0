/** Writes COUNT numbered lines to the log PATH, as one of several processes; started by the test beside it. */
import { openLogFile } from "../../../src/host/exec/log-file.ts";

const [path = "", name = "", count = "0", maxBytes = "0", keep = "0"] = process.argv.slice(2);
const context = { writer: name, container: `container-${name}` };
const log = openLogFile({ path, level: "info", context, maxBytes: Number(maxBytes), keep: Number(keep), now: Date.now });
for (let number = 0; number < Number(count); number++) log.info("line", { number, padding: "x".repeat(number % 97) });
