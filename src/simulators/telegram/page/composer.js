// What the user writes with: the text field, the "/" menu and the bot's own keyboard.

const $ = (id) => document.getElementById(id);
const text = $("text");
const menu = $("menu");
const keyboard = $("keyboard");

/**
 * Sets the composer up.
 * @param {{ onSend: (text: string) => Promise<boolean> }} acts `onSend` tells whether the text is out
 */
export function createComposer(acts) {
  let commands = [];
  let shown = [];
  let selected = -1;
  let isMenuAsked = false;
  let isKeyboardFolded = false;
  let keyboardVersion = "";
  let hasKeyboard = false;

  const send = async (words) => {
    if (words.trim() === "") return;
    const before = text.value;
    if (words === before) text.value = "";
    closeMenu();
    grow();
    // What could not be sent stays in the field.
    if (!(await acts.onSend(words)) && words === before && text.value === "") text.value = before;
    grow();
  };

  const grow = () => {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, 140)}px`;
    $("send").disabled = text.value.trim() === "";
  };

  const showMenu = () => {
    const typed = /^\/([a-z0-9_]*)$/i.exec(text.value)?.[1]?.toLowerCase();
    if (typed === undefined && !isMenuAsked) {
      closeMenu();
      return;
    }
    const wanted = typed ?? "";
    const begins = commands.filter(({ command }) => command.startsWith(wanted));
    const contains = commands.filter(
      ({ command, description }) =>
        !command.startsWith(wanted) && (command.includes(wanted) || description.toLowerCase().includes(wanted)),
    );
    shown = [...begins, ...contains];
    selected = Math.min(selected, shown.length - 1);
    if (selected < 0 && typed !== undefined && shown.length > 0) selected = 0;
    menu.hidden = shown.length === 0;
    $("menu-button").setAttribute("aria-expanded", String(!menu.hidden));
    menu.replaceChildren(...shown.map(option));
    showSelected();
  };

  const option = ({ command, description }, index) => {
    const item = document.createElement("div");
    item.id = `command-${index}`;
    item.setAttribute("role", "option");
    const name = document.createElement("strong");
    name.textContent = `/${command}`;
    const words = document.createElement("span");
    words.textContent = description;
    item.append(name, words);
    item.addEventListener("click", () => {
      text.value = "";
      void send(`/${command}`);
      text.focus();
    });
    return item;
  };

  const showSelected = () => {
    [...menu.children].forEach((item, index) => {
      item.setAttribute("aria-selected", String(index === selected));
    });
    menu.children[selected]?.scrollIntoView({ block: "nearest" });
    if (selected >= 0 && !menu.hidden) text.setAttribute("aria-activedescendant", `command-${selected}`);
    else text.removeAttribute("aria-activedescendant");
  };

  const closeMenu = () => {
    isMenuAsked = false;
    selected = -1;
    menu.hidden = true;
    $("menu-button").setAttribute("aria-expanded", "false");
    text.removeAttribute("aria-activedescendant");
  };

  text.addEventListener("input", () => {
    grow();
    selected = -1;
    showMenu();
  });
  text.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (!menu.hidden && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      selected = (selected + step + shown.length) % shown.length;
      showSelected();
      return;
    }
    if (!menu.hidden && event.key === "Tab" && selected >= 0) {
      event.preventDefault();
      text.value = `/${shown[selected].command} `;
      closeMenu();
      grow();
      return;
    }
    if (event.key === "Escape" && !menu.hidden) {
      closeMenu();
      return;
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    const chosen = menu.hidden ? undefined : shown[selected];
    if (chosen === undefined) void send(text.value);
    else {
      text.value = "";
      void send(`/${chosen.command}`);
    }
  });
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    void send(text.value);
    text.focus();
  });
  $("menu-button").addEventListener("click", () => {
    if (!menu.hidden) {
      closeMenu();
      return;
    }
    isMenuAsked = true;
    showMenu();
    text.focus();
  });
  $("keyboard-button").addEventListener("click", () => {
    isKeyboardFolded = !isKeyboardFolded;
    foldKeyboard();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.hidden && !$("composer").contains(event.target) && !menu.contains(event.target)) closeMenu();
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    const isFree = !isTyping && document.querySelector("dialog[open]") === null && !event.ctrlKey && !event.metaKey;
    if (isFree && event.key === "/") {
      event.preventDefault();
      text.focus();
      text.value = "/";
      text.dispatchEvent(new Event("input"));
    }
  });

  const foldKeyboard = () => {
    keyboard.hidden = !hasKeyboard || isKeyboardFolded;
    $("keyboard-button").hidden = !hasKeyboard;
    $("keyboard-button").setAttribute("aria-expanded", String(!keyboard.hidden));
  };

  const showKeyboard = (replyKeyboard) => {
    const version = JSON.stringify(replyKeyboard);
    if (version === keyboardVersion) return;
    keyboardVersion = version;
    hasKeyboard = replyKeyboard !== null && replyKeyboard.keyboard.length > 0;
    isKeyboardFolded = false;
    const rows = (replyKeyboard?.keyboard ?? []).map((buttons) => {
      const line = document.createElement("div");
      line.append(
        ...buttons.map((button) => {
          const key = document.createElement("button");
          key.type = "button";
          key.textContent = button.text;
          key.addEventListener("click", () => void send(button.text));
          return key;
        }),
      );
      return line;
    });
    keyboard.replaceChildren(...rows);
    foldKeyboard();
  };

  return {
    show: (view) => {
      commands = view.commands;
      $("menu-button").hidden = commands.length === 0;
      if (!menu.hidden) showMenu();
      showKeyboard(view.replyKeyboard);
      $("replying").hidden = view.forceReply === null;
      $("replying-name").textContent = `Reply to ${view.forceReply?.name ?? ""}`;
      $("replying-text").textContent = view.forceReply?.text ?? "";
      text.placeholder =
        view.forceReply?.placeholder ||
        view.replyKeyboard?.input_field_placeholder ||
        (view.blocked ? "Writing unblocks the bot" : "Message");
    },
    focus: () => text.focus(),
  };
}
