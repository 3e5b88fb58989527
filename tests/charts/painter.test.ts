// Drawing in a thread of its own, with the renderer compiled as the build does it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { equityFigure } from "../../src/charts/figures.ts";
import { createPainter, type Painter, PICTURE_MS_MAX } from "../../src/charts/painter.ts";
import { wallClock } from "../../src/clock.ts";
import { tickSize } from "../../src/units.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const COMPILED = ["charts/render.ts", "charts/palette.ts", "units.ts", "result.ts"];

const FIGURE = equityFigure(
  {
    theme: "dark",
    zone: "America/Chicago",
    nowMs: 1_795_618_800_000,
    badge: "DEMO",
    marketLabel: "x",
    contractName: "MES Z6",
    tickSize: tickSize("0.25"),
  },
  "equity",
  [],
);

let folder = "";

beforeAll(() => {
  // Inside the tree, so that the packages are found; in a folder that every tool ignores.
  mkdirSync(join(ROOT, "node_modules/.cache"), { recursive: true });
  folder = mkdtempSync(join(ROOT, "node_modules/.cache/painter-"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  for (const name of COMPILED) {
    const source = readFileSync(join(ROOT, "src", name), "utf8");
    const compilerOptions: ts.CompilerOptions = {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
    };
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    const path = join(folder, name.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputText.replaceAll(/from "(\.[^"]+)\.ts"/g, 'from "$1.js"'));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function painterOf(file: string, wall = wallClock): Painter {
  const painter = createPainter({ wall, rendererUrl: pathToFileURL(join(folder, file)) });
  onTestFinished(() => painter.close());
  return painter;
}

function isPng(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(1, 4)).toString("latin1") === "PNG";
}

test("two pictures asked for at once are both drawn", async () => {
  const painter = painterOf("charts/render.js");

  const pictures = await Promise.all([painter.paint(FIGURE), painter.paint(FIGURE)]);

  expect(pictures.map(isPng)).toEqual([true, true]);
});

test("from its sources the program draws in its own thread", async () => {
  const painter = createPainter({ wall: wallClock });

  expect(isPng(await painter.paint(FIGURE))).toBe(true);
});

test("what the renderer throws is the reason", async () => {
  writeFileSync(
    join(folder, "throws.js"),
    'export const createRenderer = () => ({ png: async () => { throw new Error("no ink"); } });',
  );

  await expect(painterOf("throws.js").paint(FIGURE)).rejects.toThrow("no ink");
});

test("a worker that dies costs its picture, and the next one is drawn", async () => {
  const flag = join(folder, "died");
  const dies = `import { existsSync, writeFileSync } from "node:fs";
    export const createRenderer = () => ({ png: async () => {
      if (!existsSync(${JSON.stringify(flag)})) { writeFileSync(${JSON.stringify(flag)}, ""); process.exit(1); }
      return new Uint8Array([0, 80, 78, 71]);
    } });`;
  writeFileSync(join(folder, "dies.js"), dies);
  const painter = painterOf("dies.js");

  await expect(painter.paint(FIGURE)).rejects.toThrow("the drawing thread ended");

  expect(isPng(await painter.paint(FIGURE))).toBe(true);
});

test("a picture that takes too long is given up", async () => {
  writeFileSync(
    join(folder, "hangs.js"),
    "export const createRenderer = () => ({ png: () => new Promise(() => {}) });",
  );
  const clock = createFakeClock();
  const picture = painterOf("hangs.js", clock).paint(FIGURE);

  clock.advance(PICTURE_MS_MAX);

  await expect(picture).rejects.toThrow("not drawn within 10 s");
});
