// The gateway's page: follows the gateway and puts the parts together.
import { createChart } from "./chart.js";
import { createControls } from "./controls.js";
import { createFaults } from "./faults.js";
import { createMessages } from "./messages.js";
import { pricePrinter, timePrinter } from "./print.js";
import { act, follow } from "./server.js";
import { createTables } from "./tables.js";

const $ = (id) => document.getElementById(id);
const TOAST_MS = 4_000;

const BARS = [
  [5_000, "5 s"],
  [15_000, "15 s"],
  [60_000, "1 min"],
  [300_000, "5 min"],
];

let stopFollowing = () => {};
let hideToast;
let barMs = BARS[0][0];
let printers = { tickSize: 0 };

/** Does a command; says that it is done, or why it is not. */
async function attempt(path, body, done) {
  try {
    await act(path, body);
    toast(done, false);
  } catch (cause) {
    toast(cause.message, true);
  }
}

const chart = createChart($("canvas"), $("readout"));
const controls = createControls(attempt);
const tables = createTables();
const messages = createMessages(() => open());
void createFaults(attempt).catch((cause) => toast(`The faults can't be read: ${cause.message}`, true));

function open() {
  stopFollowing();
  stopFollowing = follow(
    { barMs, ...messages.wish() },
    { view: show, messages: messages.add, connection: showConnection },
  );
}

function show(view) {
  if (printers.tickSize !== view.contract.tickSize) {
    printers = {
      tickSize: view.contract.tickSize,
      price: pricePrinter(view.contract.tickSize),
      at: timePrinter(view.zone),
    };
  }
  const clock = view.time.lastIndexOf(" ", view.time.lastIndexOf(" ") - 1);
  $("day").textContent = view.time.slice(0, clock + 1);
  $("time").textContent = `${view.time.slice(clock + 1)} · ${speedText(view.speed)}`;
  $("quote").textContent = printers.price(view.book.lastTicks);
  $("banner").textContent =
    `SIMULATION · no real money · ${view.market} · ${view.contract.localSymbol} (${view.contract.exchange}) · TWS port ${view.port}`;
  document.title = `${printers.price(view.book.lastTicks)} ${view.contract.localSymbol} · SIMULATION`;
  const trouble = troubleOf(view);
  $("trouble").hidden = trouble === "";
  if ($("trouble").textContent !== trouble) $("trouble").textContent = trouble;
  controls.show(view);
  tables.show(view, printers);
  messages.show(view, printers);
  chart.show(view, printers);
  const waiting = view.faultsWaiting;
  $("faults-waiting").textContent =
    waiting.length === 0
      ? "Each acts at once. None waits."
      : `${waiting.length} wait for their moment: ${waiting.slice(0, 5).join(", ")}${waiting.length > 5 ? " …" : ""}`;
}

function troubleOf(view) {
  if (!view.isLinkUp) return "The broker's link is lost: clients hear nothing of orders and prices.";
  if (view.isMuted) return "Market data is held back by a fault; the market goes on.";
  return "";
}

function speedText(speed) {
  if (speed === 0) return "paused";
  return speed === "max" ? "full speed" : `×${speed}`;
}

function showConnection(isOpen) {
  $("offline").hidden = isOpen;
  if (!isOpen) $("offline").textContent = "The gateway doesn't answer. What you see is old; reconnecting…";
}

function toast(text, isBad) {
  clearTimeout(hideToast);
  $("toast").textContent = text;
  $("toast").classList.toggle("bad", isBad);
  $("toast").hidden = false;
  hideToast = setTimeout(() => {
    $("toast").hidden = true;
  }, TOAST_MS);
}

for (const [length, label] of BARS) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.setAttribute("aria-pressed", String(length === barMs));
  button.addEventListener("click", () => {
    barMs = length;
    for (const other of $("bars").querySelectorAll("button"))
      other.setAttribute("aria-pressed", String(other === button));
    // Not every browser lets the keyboard reach a list that scrolls.
    for (const list of document.querySelectorAll(".wide, .log")) list.tabIndex = 0;

    open();
  });
  $("bars").append(button);
}

// Not every browser lets the keyboard reach a list that scrolls.
for (const list of document.querySelectorAll(".wide, .log")) list.tabIndex = 0;

open();
