// The gateway's page in a real browser: what a person sees and does there. Skipped where no Chromium is installed.
import { existsSync } from "node:fs";
import { OrderAction, OrderType, SecType } from "@stoqey/ib";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FAULT_FORMS } from "../../../src/simulators/ib-gateway/fault-forms.ts";
import { CHART_BARS_MS } from "../../../src/simulators/ib-gateway/page-view.ts";
import { MES, type Rig, START_MS, settle, startRig } from "./rig.ts";

const CANDIDATES = [
  process.env["CHROMIUM_PATH"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const executablePath = CANDIDATES.find((path) => path !== "" && existsSync(path));
if (executablePath === undefined) {
  console.warn("The gateway's page is not tested: no Chromium found. Install one, or name it in CHROMIUM_PATH.");
}

const CONTRACT = { ...MES, secType: SecType.FUT };

describe.skipIf(executablePath === undefined)("the gateway's page", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
  });

  afterAll(() => browser.close());

  /** Opens the page; a script error or a breach of its policy fails the test. */
  async function openPage(rig: Rig, width = 1_280): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 900 } });
    // Below the test's own limit, so that a failure names what was waited for.
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (thrown) => errors.push(thrown.message));
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) errors.push(message.text());
    });
    onTestFinished(async () => {
      await context.close();
      expect(errors).toEqual([]);
    });
    await page.goto(rig.server.url as string);
    await page.getByText(/SIMULATION · no real money · records of a test · MESH6 \(CME\)/).waitFor();
    return page;
  }

  async function startStage(options: Parameters<typeof startRig>[0] = {}): Promise<Rig> {
    const rig = await startRig({ httpPort: 0, ...options });
    onTestFinished(() => rig.stop());
    rig.market.tick(START_MS + 100, 20_000);
    await rig.step(250);
    return rig;
  }

  const row = (page: Page, table: string, text: string | RegExp) =>
    page.locator(`${table} tbody tr`).filter({ hasText: text });

  test("shows market, clients, orders, what rests in the book, fills, position and money", async () => {
    const rig = await startStage();
    const page = await openPage(rig);
    await page.getByText("Nobody is connected").waitFor();
    const client = await rig.connect(7);
    client.ib.placeOrder(1, CONTRACT, {
      action: OrderAction.BUY,
      orderType: OrderType.MKT,
      transmit: true,
      totalQuantity: 2,
    });
    client.ib.placeOrder(2, CONTRACT, {
      action: OrderAction.SELL,
      orderType: OrderType.LMT,
      transmit: true,
      totalQuantity: 1,
      lmtPrice: 5_000.75,
    });
    client.ib.placeOrder(3, CONTRACT, {
      action: OrderAction.SELL,
      orderType: OrderType.STP,
      transmit: true,
      totalQuantity: 2,
      auxPrice: 4_900,
    });
    await settle(rig, client);

    await row(page, "#clients-table", /7\s*127\.0\.0\.1:\d+\s*178/).waitFor();
    await row(page, "#orders-table", "BUY 2").filter({ hasText: "Filled" }).filter({ hasText: "5000.25" }).waitFor();
    await row(page, "#orders-table", "SELL 1")
      .filter({ hasText: "Submitted" })
      .filter({ hasText: "LMT 5000.75" })
      .waitFor();
    await page.locator("#ladder tr").filter({ hasText: "5000.75" }).locator(".rests.sell", { hasText: "1" }).waitFor();
    await page.getByText("SELL 2 STP 4900.00").waitFor();
    await page.getByText("LONG 2 at 5000.25").waitFor();
    await page.getByText("$2,376.00").waitFor();
    await page.getByRole("img", { name: "Price chart of MESH6: last 5000.00, 1 fills" }).waitFor();
    await page.getByText("Open until Mon 5 Jan 2026 16:00:00 CST").waitFor();
    await page.getByText(/^No price limits: /).waitFor();
  });

  test("moves the market: step, speed, pause, a jump, a position", async () => {
    const rig = await startStage();
    const page = await openPage(rig);
    rig.market.tick(START_MS + 900, 20_004);

    await page.getByRole("button", { name: "1 s", exact: true }).click();
    await page.getByText("1 s further.").waitFor();
    await page.locator("#quote", { hasText: "5001.00" }).waitFor();
    await page.getByRole("spinbutton", { name: "Jump" }).fill("12");
    await page.getByRole("button", { name: "Down" }).click();
    await page.getByText("jumps by -12 ticks").waitFor();
    rig.market.tick(rig.nowMs() + 100, 20_004);
    await page.getByRole("button", { name: "1 s", exact: true }).click();
    await page.locator("#quote", { hasText: "4998.00" }).waitFor();
    await page.getByRole("spinbutton", { name: "Position" }).fill("-3");
    await page.getByRole("button", { name: "Set" }).click();
    await page.getByText("SHORT 3 at 4998.00").waitFor();
    await page.getByRole("button", { name: "×5", exact: true }).click();
    await page.getByRole("button", { name: "×5", exact: true, pressed: true }).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();

    expect(rig.server.speed()).toBe(0);
  });

  test("says why a command was refused", async () => {
    const rig = await startStage();
    const page = await openPage(rig);

    await page.getByRole("spinbutton", { name: "Jump" }).fill("99999999");
    await page.getByRole("button", { name: "Up" }).click();

    await page.getByText("jumpTicks must be a whole number of ticks").waitFor();
  });

  test("has a button for every fault, and each acts", async () => {
    const rig = await startStage();
    const client = await rig.connect(1);
    const page = await openPage(rig);

    for (const { title } of Object.values(FAULT_FORMS))
      await page.getByRole("button", { name: title, exact: true }).waitFor({ state: "visible" });
    await page.getByRole("button", { name: "Broker's link lost" }).click();
    await page.getByText("The broker's link is lost").waitFor();
    expect(client.all("info").some(([, code]) => code === 1_100)).toBe(true);
    await page
      .getByRole("textbox", { name: "Any line of a fault script" })
      .fill('{"fault": "stale_data", "forMs": 5, "afterMs": 90000}');
    await page.getByRole("button", { name: "Give it" }).click();
    await page.getByText("1 wait for their moment: stale_data").waitFor();
    await page.getByRole("textbox", { name: "Any line of a fault script" }).fill('{"fault": "meteor"}');
    await page.getByRole("button", { name: "Give it" }).click();
    await page.locator("#toast.bad", { hasText: "meteor" }).waitFor();
  });

  test("names messages both ways, of one client on request, holds still and goes on", async () => {
    const rig = await startStage();
    const one = await rig.connect(1);
    await rig.connect(2);
    const page = await openPage(rig);
    const lines = page.locator("#log li");
    await lines.filter({ hasText: "client 2" }).filter({ hasText: "startApi" }).first().waitFor();

    await page.getByRole("combobox", { name: "Whose messages" }).selectOption({ index: 1 });
    await lines.filter({ hasText: "client 1" }).filter({ hasText: "nextValidId orderId 1" }).waitFor();
    expect(await lines.filter({ hasText: "client 2" }).count()).toBe(0);
    await page.getByRole("button", { name: "Hold", exact: true }).click();
    one.ib.reqPositions();
    await settle(rig, one);
    await page.locator("#clients-table td", { hasText: /^4 \/ / }).waitFor();
    expect(await lines.filter({ hasText: "reqPositions" }).count()).toBe(0);
    await page.getByRole("button", { name: "Go on" }).click();
    await lines.filter({ hasText: "reqPositions" }).waitFor();
    await lines.filter({ hasText: "positionEnd" }).waitFor();
  });

  test("what a client sends is shown as text, whatever it looks like", async () => {
    const rig = await startStage();
    const client = await rig.connect(1);
    const page = await openPage(rig);
    const orderRef = '<img src=x onerror="document.title=1">';
    client.ib.placeOrder(1, CONTRACT, {
      action: OrderAction.BUY,
      orderType: OrderType.LMT,
      transmit: true,
      totalQuantity: 1,
      lmtPrice: 4_000,
      orderRef,
    });
    await settle(rig, client);

    await page.locator("#log li").filter({ hasText: orderRef }).first().waitFor();
    await page.locator("#orders-table td", { hasText: orderRef }).waitFor({ state: "attached" });
    expect(await page.locator("img").count()).toBe(0);
  });

  test("draws bars of every length that it offers", async () => {
    const rig = await startStage();
    const page = await openPage(rig);

    for (const label of ["15 s", "1 min", "5 min", "5 s"]) {
      await page.getByRole("button", { name: label, exact: true }).last().click();
      await page.getByRole("button", { name: label, exact: true, pressed: true }).waitFor();
      await page.locator("#readout", { hasText: "close" }).waitFor();
    }
    expect(CHART_BARS_MS).toHaveLength(4);
  });

  test("says when the gateway is gone, and goes on when it is back", async () => {
    const rig = await startRig({ httpPort: 0 });
    const page = await openPage(rig);
    const httpPort = rig.server.httpPort as number;

    await rig.stop();
    await page.getByText("The gateway doesn't answer").waitFor();
    const again = await startRig({ httpPort });
    onTestFinished(() => again.stop());

    await page.getByText("The gateway doesn't answer").waitFor({ state: "hidden" });
  });

  test.each([390, 768, 1_280])(
    "at a width of %i nothing is cut off sideways, and the keyboard reaches everything",
    async (width) => {
      const rig = await startStage();
      const page = await openPage(rig, width);
      await page.locator("#fault-list details").first().waitFor();

      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      const unnamed = await page.evaluate(
        `[...document.querySelectorAll("input, select, textarea, button")]
        .filter((one) => one.textContent === "" && !one.ariaLabel && one.labels?.length === 0).length`,
      );
      expect(unnamed).toBe(0);
      await page
        .getByRole("button", { name: "Pause" })
        .or(page.getByRole("button", { name: "Resume" }))
        .focus();
      await page.keyboard.press("Enter");
      await page.getByText(/The market (stands|goes on)\./).waitFor();
    },
  );
});
