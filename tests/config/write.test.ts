// The file on disk: the old text or the new one, for its owner only.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeConfigFile } from "../../src/config/edit.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("a new file appears whole, readable by its owner only", async () => {
  const path = join(folder, "config.yaml");

  await writeConfigFile(path, "strategy: {}\n");

  expect(await readFile(path, "utf8")).toBe("strategy: {}\n");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["config.yaml"]);
});

test("an old file is replaced and its mode tightened", async () => {
  const path = join(folder, "config.yaml");
  await writeFile(path, "old");
  await chmod(path, 0o644);

  await writeConfigFile(path, "new");

  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a draft that a crash left behind is overwritten, and its mode with it", async () => {
  const path = join(folder, "config.yaml");
  const draft = join(folder, `.config.yaml.${process.pid}.tmp`);
  await writeFile(draft, "a longer text than the new one");
  await chmod(draft, 0o644);

  await writeConfigFile(path, "new");

  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["config.yaml"]);
});

test("a link stays a link and its target is written", async () => {
  const target = join(folder, "real.yaml");
  const path = join(folder, "config.yaml");
  await writeFile(target, "old");
  await symlink(target, path);

  await writeConfigFile(path, "new");

  expect(await readFile(target, "utf8")).toBe("new");
  expect((await readdir(folder)).sort()).toEqual(["config.yaml", "real.yaml"]);
});

test("what cannot be written says which file, keeps the old text and leaves no draft", async () => {
  const path = join(folder, "config.yaml");
  // A folder of that name: the last step, the rename, fails.
  await mkdir(path);

  await expect(writeConfigFile(path, "new")).rejects.toThrow(
    `${path} could not be written; the old settings still stand there`,
  );

  expect(await readdir(folder)).toEqual(["config.yaml"]);
});
