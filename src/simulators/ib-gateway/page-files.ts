// The page's files. tsc copies only code, so they are found from the project's root, in src and in dist alike.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const SCRIPT = "text/javascript; charset=utf-8";
const FILES: Readonly<Record<string, { name: string; type: string }>> = {
  "/": { name: "index.html", type: "text/html; charset=utf-8" },
  "/index.html": { name: "index.html", type: "text/html; charset=utf-8" },
  "/style.css": { name: "style.css", type: "text/css; charset=utf-8" },
  "/app.js": { name: "app.js", type: SCRIPT },
  "/chart.js": { name: "chart.js", type: SCRIPT },
  "/controls.js": { name: "controls.js", type: SCRIPT },
  "/faults.js": { name: "faults.js", type: SCRIPT },
  "/messages.js": { name: "messages.js", type: SCRIPT },
  "/print.js": { name: "print.js", type: SCRIPT },
  "/server.js": { name: "server.js", type: SCRIPT },
  "/tables.js": { name: "tables.js", type: SCRIPT },
};

/** Are sent with every file of the page: nothing from elsewhere, nothing inline, no frame. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-cache",
};

/** Returns a file of the page and its type, or undefined for any other path. */
export async function pageFile(path: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; type: string } | undefined> {
  const file = FILES[path];
  if (file === undefined) return undefined;
  return { bytes: new Uint8Array(await readFile(join(pageFolder(), file.name))), type: file.type };
}

function pageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${import.meta.dirname}: the page can't be found`);
    folder = parent;
  }
  return join(folder, "src", "simulators", "ib-gateway", "page");
}
