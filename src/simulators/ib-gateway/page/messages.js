// The decoded messages, newest first: whose, with or without market data, held still on request.
import { element } from "./print.js";

const $ = (id) => document.getElementById(id);

/** So many lines are shown; older ones go. */
const LINES_MAX = 400;
/** So many connections keep their name after they have gone. */
const NAMES_MAX = 500;
const ARROWS = { in: "→", out: "←", note: "·" };
const WAYS = { in: "from the client", out: "to the client", note: "" };

/** Returns the list; `changed` is called when something else is wished for. */
export function createMessages(changed) {
  let isHeld = false;
  let at;
  /** Names by connection; those that have gone keep theirs. */
  const names = new Map();
  const whose = $("messages-of");
  const log = $("log");
  let shownOptions = "";
  whose.append(new Option("all clients", ""));

  const again = () => {
    log.replaceChildren();
    changed();
  };
  whose.addEventListener("change", again);
  $("messages-data").addEventListener("change", again);
  $("messages-pause").addEventListener("click", () => {
    isHeld = !isHeld;
    $("messages-pause").setAttribute("aria-pressed", String(isHeld));
    $("messages-pause").textContent = isHeld ? "Go on" : "Hold";
    if (!isHeld) again();
  });

  const line = (message) => {
    const who = names.get(message.connection) ?? `connection ${message.connection}`;
    const row = element(
      "li",
      message.way,
      element("span", "time", at === undefined ? "" : at.time(message.atMs)),
      element("span", "arrow", ARROWS[message.way]),
      element("span", "client", who),
    );
    row.children[1].setAttribute("role", "img");
    row.children[1].setAttribute("aria-label", WAYS[message.way]);
    const text = element("span", "text", element("strong", "", message.name));
    for (const [name, value] of message.fields) text.append(" ", element("i", "", name), ` ${value}`);
    if (message.more > 0) text.append(" ", element("i", "", `+${message.more} fields`));
    row.append(text);
    return row;
  };

  return {
    wish: () => ({
      connection: whose.value === "" ? null : Number(whose.value),
      marketData: $("messages-data").checked,
    }),
    add: ({ lines, leftOut }) => {
      if (isHeld) return;
      const rows = lines.map(line);
      if (leftOut > 0) rows.unshift(element("li", "gap", `${leftOut.toLocaleString("en-US")} messages not shown`));
      log.prepend(...rows.reverse());
      while (log.children.length > LINES_MAX) log.lastElementChild.remove();
    },
    show: (view, printers) => {
      at = printers.at;
      for (const { connection, clientId } of view.clients) names.set(connection, `client ${clientId}`);
      for (const connection of [...names.keys()].slice(0, Math.max(0, names.size - NAMES_MAX)))
        names.delete(connection);
      const options = view.clients.map(({ connection, clientId, address }) => [
        String(connection),
        `client ${clientId} (${address})`,
      ]);
      // One whose messages are looked at stays in the list after it has gone.
      if (whose.value !== "" && !options.some(([value]) => value === whose.value))
        options.push([whose.value, `${names.get(Number(whose.value)) ?? `connection ${whose.value}`} (gone)`]);
      const version = JSON.stringify(options);
      if (version === shownOptions) return;
      shownOptions = version;
      const chosen = whose.value;
      whose.replaceChildren(
        new Option("all clients", ""),
        ...options.map(([value, label]) => new Option(label, value, false, value === chosen)),
      );
    },
  };
}
