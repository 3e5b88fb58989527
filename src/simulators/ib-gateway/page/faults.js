// A button for every fault that the gateway knows: the list comes from the gateway itself.
import { element } from "./print.js";
import { readFaults } from "./server.js";

const $ = (id) => document.getElementById(id);

/** Fills the list; `attempt` does a command and says how it went. */
export async function createFaults(attempt) {
  $("line").addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt("fault", $("line-text").value, "The line was taken.");
  });
  const forms = await readFaults();
  const groups = new Map();
  for (const [fault, form] of Object.entries(forms)) {
    const group = groups.get(form.group) ?? [];
    group.push(formOf(fault, form, attempt));
    groups.set(form.group, group);
  }
  $("fault-list").replaceChildren(
    ...[...groups].map(([name, items], index) => {
      const group = element("details", "", element("summary", "", `${name} `, element("span", "faint", items.length)));
      group.open = index === 0 || matchMedia("(min-width: 1100px)").matches;
      group.append(...items);
      return group;
    }),
  );
}

function formOf(fault, { title, says, fields }, attempt) {
  const form = element("form", "fault");
  const about = `about-${fault}`;
  const explanation = element("p", "faint", says);
  explanation.id = about;
  const button = element("button", "", title);
  button.type = "submit";
  button.setAttribute("aria-describedby", about);
  form.append(button, explanation);
  if (fields.length > 0) form.append(element("div", "fields", ...fields.map((field) => labelled(fault, field))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const line = { fault };
    for (const field of fields) {
      const { value } = form.elements.namedItem(field.name);
      if (value === "" && field.value === null) continue;
      line[field.name] = field.kind === "number" ? Number(value) : value;
    }
    void attempt("fault", line, `${title}: done.`);
  });
  return form;
}

function labelled(fault, field) {
  const id = `${fault}-${field.name}`;
  const label = element("label", "", field.label);
  label.htmlFor = id;
  let input;
  if (field.kind === "choice") {
    input = element("select", "");
    input.append(...field.choices.map((choice) => new Option(choice, choice, false, choice === field.value)));
  } else {
    input = element("input", "");
    input.type = field.kind === "number" ? "number" : "text";
    if (field.kind === "number") input.step = "any";
    input.value = field.value ?? "";
    input.required = field.value !== null;
  }
  input.id = id;
  input.name = field.name;
  return element("span", `field ${field.kind}`, label, input);
}
