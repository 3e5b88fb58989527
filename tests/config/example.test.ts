// The committed example is what the program writes. After a change of the table:
// npx vitest run tests/config/example.test.ts -u
import { expect, test } from "vitest";
import { settingsOf } from "../../src/config/fields.ts";
import { hashOf, loadSettings } from "../../src/config/load.ts";
import { exampleYaml, FIELDS } from "../../src/config/schema.ts";

test("the committed example file is the one that the table makes", async () => {
  await expect(exampleYaml()).toMatchFileSnapshot("../../config/config.yaml.example");
});

test("loading the example gives the defaults", () => {
  const loaded = loadSettings({ file: { path: "example", text: exampleYaml() }, environment: {}, overrides: [] });

  expect(loaded.ok && loaded.value.hash).toBe(hashOf(settingsOf(new Map())));
});

test("the example has every key once, with its help and chat name", () => {
  const lines = exampleYaml().split("\n");

  for (const field of FIELDS) {
    const own = lines.filter((line) => line.startsWith(`  ${field.key}: `) && line.includes(field.help));
    expect(own, field.path).toHaveLength(1);
    if (field.shortName !== null) expect(own[0]).toContain(`chat ${field.shortName}; `);
  }
});
