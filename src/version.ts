// The program's version, from package.json beside the build.
import { createRequire } from "node:module";

/** "0.1.0". */
export const VERSION: string = (createRequire(import.meta.url)("../package.json") as { version: string }).version;
