// Every fault on the page: what its button sends is understood, and the documentation names it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FAULT_FORMS } from "../../../src/simulators/ib-gateway/fault-forms.ts";
import { parseFault } from "../../../src/simulators/ib-gateway/faults.ts";

const DOCUMENTATION = readFileSync(join(import.meta.dirname, "../../../docs/simulated-gateway.md"), "utf8");

test.each(Object.entries(FAULT_FORMS))("%s is understood as the page sends it, and documented", (fault, { fields }) => {
  const given = fields.filter((field) => field.value !== null).map((field) => [field.name, field.value]);

  expect(parseFault({ fault, ...Object.fromEntries(given) })).toMatchObject({ ok: true, value: { fault: { fault } } });
  expect(DOCUMENTATION).toContain(`| \`${fault}\` |`);
});
