// Every problem is told in words: what happened, where, and what to do.
import { expect, test } from "vitest";
import { corrupt, JournalFailure, type JournalProblem, printJournalProblem } from "../../src/journal/problem.ts";

const problems: readonly [JournalProblem, readonly string[]][] = [
  [
    corrupt("bad_record", "journal/00000002.qsj", 1234, 77),
    ["journal/00000002.qsj", "byte 1234", "record 77", "verify", "rebuild"],
  ],
  [corrupt("rolled_back", "journal/00000002.qsj", 9, 8), ["old copy", "rebuild"]],
  [
    { type: "newer_version", file: "journal/00000001.qsj", offset: 92 },
    ["newer version", "byte 92", "another data directory"],
  ],
  [{ type: "locked", pid: 4711, host: "here" }, ["process 4711", "here", "DATA_DIR"]],
  [{ type: "locked", pid: null, host: null }, ["process unknown", "Stop it first"]],
  [{ type: "unreadable", file: "journal", code: "EIO" }, ["EIO", "Check the disk"]],
  [{ type: "unwritable", file: "journal", code: "ENOSPC" }, ["ENOSPC", "free space"]],
  [{ type: "unsafe_directory", directory: "data", why: "world_writable" }, ["data", "chmod o-w"]],
  [{ type: "unsafe_directory", directory: "data", why: "is_a_link" }, ["link", "DATA_DIR"]],
  [{ type: "unsafe_directory", directory: "data", why: "not_ours" }, ["another user"]],
];

test.each(problems)("%o says what happened and what to do", (problem, parts) => {
  const sentence = printJournalProblem(problem);

  for (const part of parts) expect(sentence).toContain(part);
  expect(sentence).toMatch(/^[A-Z].*\.$/);
});

test("a failure says which records are only in memory and what to do", () => {
  const failure = new JournalFailure("sync", "EIO", 42);

  expect(failure.message).toContain("EIO");
  expect(failure.message).toContain("records from 42 on");
  expect(failure.message).toContain("restart and arm");
});
