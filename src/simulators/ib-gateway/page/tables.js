// Book, orders, account and clients, drawn anew with every view. Nothing in them can be focused, so nothing is lost.
import { bytes, count, dollars, element, gain, shortCount, signed } from "./print.js";

const $ = (id) => document.getElementById(id);

/** So many prices are shown above and below the market. */
const LEVELS = 5;

export function createTables() {
  return {
    show: (view, { price, at }) => {
      showBook(view, price);
      showAccount(view, price);
      showOrders(view, price, at);
      showClients(view);
    },
  };
}

/** An order rests at its limit, or waits at its trigger. */
function restingAt(order) {
  if (!order.isWorking || !order.isTransmitted || order.whyHeld === "child") return null;
  return order.limitTicks !== null && order.triggerTicks === null ? order.limitTicks : order.triggerTicks;
}

function showBook(view, price) {
  const { bidTicks, askTicks, bidSize, askSize, lastTicks } = view.book;
  const resting = view.orders
    .map((order) => ({ order, ticks: restingAt(order) }))
    .filter(({ ticks }) => ticks !== null);
  const middle = bidTicks ?? askTicks ?? lastTicks;
  const rows = [];
  const top = (askTicks ?? (middle ?? 0) + 1) + LEVELS - 1;
  const bottom = (bidTicks ?? middle ?? 0) - LEVELS + 1;
  if (middle === undefined || middle === null) {
    rows.push(element("tr", "", cell("no prices yet", "faint", 5)));
  } else {
    for (let ticks = top; ticks >= bottom; ticks -= 1) rows.push(level(ticks));
  }
  $("ladder").replaceChildren(...rows);

  function level(ticks) {
    const here = resting.filter((one) => one.ticks === ticks).map(({ order }) => order);
    const rests = (action) =>
      here
        .filter((order) => order.action === action)
        .map((order) => `${order.quantity - order.filled}${order.triggerTicks === null ? "" : " stop"}`)
        .join(", ");
    const bid = ticks === bidTicks ? bidSize : bidTicks !== undefined && ticks < bidTicks ? view.levelSize : "";
    const ask = ticks === askTicks ? askSize : askTicks !== undefined && ticks > askTicks ? view.levelSize : "";
    const row = element(
      "tr",
      ticks === lastTicks ? "last" : "",
      cell(rests("BUY"), "rests buy"),
      cell(bid, `size bid${ticks === bidTicks ? " best" : ""}`),
      cell(price(ticks), "price"),
      cell(ask, `size ask${ticks === askTicks ? " best" : ""}`),
      cell(rests("SELL"), "rests sell"),
    );
    if (ticks === lastTicks) row.children[2].setAttribute("aria-label", `${price(ticks)}, last trade`);
    return row;
  }

  const away = resting.filter(({ ticks }) => ticks > top || ticks < bottom);
  $("resting").replaceChildren(
    ...away.map(({ order, ticks }) =>
      element(
        "li",
        order.action === "BUY" ? "buy" : "sell",
        `${order.action} ${order.quantity - order.filled} ${order.orderType} ${price(ticks)}`,
        element("span", "faint", ` ${signed(ticks - (lastTicks ?? middle))} ticks away`),
      ),
    ),
  );
  const { highTicks, lowTicks, openTicks, closeTicks, volume, lastSize } = view.book;
  figures($("session"), [
    ["last", `${price(lastTicks)} × ${lastSize}`],
    ["volume", count(volume)],
    ["high", price(highTicks)],
    ["low", price(lowTicks)],
    ["open", price(openTicks)],
    ["close before", price(closeTicks)],
  ]);
}

function showAccount(view, price) {
  const { position, averageTicks } = view.position;
  const { cashCents, equityCents, realisedCents, unrealisedCents, initialMarginCents, maintenanceMarginCents } =
    view.account;
  $("account-name").textContent = view.accountName;
  const held =
    position === 0 ? "flat" : `${position > 0 ? "LONG" : "SHORT"} ${Math.abs(position)} at ${price(averageTicks)}`;
  figures($("figures"), [
    ["position", held, position === 0 ? "" : position > 0 ? "buy" : "sell"],
    ["open profit", gain(unrealisedCents), tone(unrealisedCents)],
    ["closed today", gain(realisedCents), tone(realisedCents)],
    ["cash", dollars(cashCents)],
    ["net liquidation", dollars(equityCents)],
    ["initial margin", dollars(initialMarginCents)],
    ["maintenance margin", dollars(maintenanceMarginCents)],
    ["free for orders", dollars(equityCents - initialMarginCents)],
  ]);
}

function tone(cents) {
  return cents === 0 ? "" : cents > 0 ? "good" : "poor";
}

function showOrders(view, price, at) {
  const working = view.orders.filter((order) => order.isWorking);
  const ended = view.orders.filter((order) => !order.isWorking);
  $("orders-count").textContent =
    `${working.length} working${ended.length === 0 ? "" : `, the last ${ended.length} that ended`}`;
  const fillTimes = new Map(view.fills.map((fill) => [`${fill.clientId} ${fill.orderId}`, fill.atMs]));
  const rows = [...working.toReversed(), ...ended.toReversed()].map((order) => {
    const filledAtMs = fillTimes.get(`${order.clientId} ${order.orderId}`);
    const row = element(
      "tr",
      order.isWorking ? "working" : "ended",
      cell(element("span", `chip ${order.status.toLowerCase()}`, order.isTransmitted ? order.status : "not sent"), ""),
      cell(
        element(
          "span",
          order.action === "BUY" ? "buy" : "sell",
          `${order.action} ${order.quantity}${order.filled > 0 && order.isWorking ? ` (${order.filled} filled)` : ""}`,
        ),
        "",
      ),
      cell(`${order.orderType} ${terms(order, price)}`.trim(), ""),
      cell(
        order.filled === 0
          ? ""
          : `${price(order.averageTicks)}${filledAtMs === undefined ? "" : ` · ${at.time(filledAtMs)}`}`,
        "",
      ),
      cell(order.clientId === 0 && order.orderId === 0 ? "by hand" : `client ${order.clientId} #${order.orderId}`, ""),
      cell(order.orderRef, "desk faint"),
    );
    if (order.completedText !== "" || order.whyHeld !== "") row.title = order.completedText || `held: ${order.whyHeld}`;
    return row;
  });
  body("orders-table", rows, "No orders yet.", 6);
}

function terms(order, price) {
  if (order.trailTicks !== null) return `by ${order.trailTicks} ticks`;
  const parts = [order.triggerTicks, order.limitTicks].filter((ticks) => ticks !== null).map(price);
  return parts.join(" / ");
}

function showClients(view) {
  const inHandshake = view.sockets - view.clients.length;
  $("clients-count").textContent =
    `${view.clients.length} connected${inHandshake > 0 ? `, ${inHandshake} in the handshake` : ""}`;
  const rows = view.clients.map((client) =>
    element(
      "tr",
      "",
      cell(client.clientId, "strong"),
      cell(client.address, ""),
      cell(client.serverVersion, ""),
      cell(`${shortCount(client.messagesIn)} / ${shortCount(client.messagesOut)}`, ""),
      cell(
        client.ticksMissed === 0
          ? bytes(client.backlogBytes)
          : `${bytes(client.backlogBytes)}, ${count(client.ticksMissed)} ticks missed`,
        client.ticksMissed > 0 ? "poor" : "",
      ),
    ),
  );
  body("clients-table", rows, `Nobody is connected. A client finds the gateway at 127.0.0.1:${view.port}.`, 5);
}

function body(id, rows, empty, columns) {
  const filled = rows.length === 0 ? [element("tr", "", cell(empty, "faint", columns))] : rows;
  $(id).tBodies[0].replaceChildren(...filled);
}

function cell(content, className, columns) {
  const made = element("td", className, content);
  if (columns !== undefined) made.colSpan = columns;
  return made;
}

function figures(list, rows) {
  list.replaceChildren(
    ...rows.map(([name, value, className]) =>
      element("div", "", element("dt", "", name), element("dd", className ?? "", value)),
    ),
  );
}
