// What is wrong with a configuration, and how it is printed.

/** Is one thing to mend: where it stands, what stands there, and what is allowed. */
export type ConfigProblem = {
  /** The file's path, or "environment", "--set", "chat" for values that came from there. */
  readonly file: string;
  readonly line: number | null;
  readonly key: string | null;
  readonly value: string | null;
  readonly message: string;
};

const VALUE_CHARACTERS_MAX = 80;

/** Returns one line: "config/config.yaml:12: strategy.window: 3 — must be a whole number from 5 to 10000". */
export function printProblem(problem: ConfigProblem): string {
  const where = problem.line === null ? problem.file : `${problem.file}:${problem.line}`;
  const key = problem.key === null ? "" : `${problem.key}: `;
  const value = problem.value === null || problem.value === "" ? "" : `${clip(problem.value)} — `;
  return `${where}: ${key}${value}${problem.message}`;
}

function clip(value: string): string {
  const line = value.replace(/\s+/g, " ");
  return line.length <= VALUE_CHARACTERS_MAX ? line : `${line.slice(0, VALUE_CHARACTERS_MAX)}…`;
}
