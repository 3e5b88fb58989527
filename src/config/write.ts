// Writes the configuration file so that a crash leaves the old text or the new one, never a part.
import { open, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Replaces the file's text: written beside it, on disk before it takes the name, readable by its owner only. A link is
 * followed. Throws an Error that names the file, with the system's error as its cause; the old text then still stands.
 */
export async function writeConfigFile(path: string, text: string): Promise<void> {
  try {
    const target = await targetOf(path);
    const draft = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    try {
      await writeDraft(draft, text);
      await rename(draft, target);
    } catch (cause) {
      await rm(draft, { force: true });
      throw cause;
    }
    await syncDirectory(dirname(target));
  } catch (cause) {
    throw new Error(`${path} could not be written; the old settings still stand there`, { cause });
  }
}

async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return path;
    throw cause;
  }
}

async function writeDraft(draft: string, text: string): Promise<void> {
  const file = await open(draft, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text, "utf8");
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
