// The chat page in a real browser: what a person sees and does there. Skipped where no Chromium is installed.
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { wallClock } from "../../../src/clock.ts";
import { silentLog } from "../../../src/log.ts";
import { STRANGER, startBotApiServer } from "../../../src/simulators/telegram/index.ts";
import { formOf, OWNER, pngOf, type Stage, startStage } from "./support.ts";

const CANDIDATES = [
  process.env["CHROMIUM_PATH"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const executablePath = CANDIDATES.find((path) => path !== "" && existsSync(path));
if (executablePath === undefined) {
  console.warn("The chat page is not tested: no Chromium found. Install one, or name it in CHROMIUM_PATH.");
}

const chat_id = OWNER.id;

describe.skipIf(executablePath === undefined)("the chat page", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
  });

  afterAll(() => browser.close());

  /** Opens the page as a phone; a script error or a breach of its policy fails the test. */
  async function openPage(url: string): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
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
    await page.goto(url);
    await page.getByText("DEMO").waitFor();
    return page;
  }

  async function startPage(
    prepare: (stage: Stage) => Promise<unknown> = async () => {},
  ): Promise<Stage & { page: Page }> {
    const stage = await startStage();
    await prepare(stage);
    return { ...stage, page: await openPage(stage.server.url) };
  }

  const sent = (page: Page, text: string) => page.getByRole("listitem").filter({ hasText: text });

  test("greets a newcomer with a Start button that sends /start, once", async () => {
    const { bot, page } = await startPage();
    await page.getByText("No messages yet").waitFor();

    await page.getByRole("button", { name: "Start", exact: true }).click();

    await sent(page, "/start").waitFor();
    await page.getByRole("button", { name: "Start", exact: true }).waitFor({ state: "hidden" });
    expect((await bot("getUpdates")).result).toMatchObject([{ message: { text: "/start" } }]);
  });

  test("shows what a bot sends as text, whatever it looks like", async () => {
    const text = '<img src=x onerror="document.title=1"> & <b>';
    const { page } = await startPage(({ bot }) =>
      bot("sendMessage", {
        chat_id,
        text,
        reply_markup: { inline_keyboard: [[{ text: "<i>x</i>", callback_data: "x" }]] },
      }),
    );

    await sent(page, text).waitFor();

    await page.getByRole("button", { name: "<i>x</i>" }).waitFor();
    expect(await page.locator("#log img").count()).toBe(0);
  });

  test("formats entities, nested ones too, and lets no other link through than a safe one", async () => {
    const html =
      '<b>bold <i>both</i></b> <code>code</code> <a href="https://example.com/">link</a> <tg-spoiler>hidden</tg-spoiler><blockquote>quote</blockquote>';
    const { page } = await startPage(({ bot }) => bot("sendMessage", { chat_id, text: html, parse_mode: "HTML" }));

    const words = page.locator(".words");

    await words.waitFor();
    expect(await words.locator("strong em").textContent()).toBe("both");
    expect(await words.locator("blockquote").textContent()).toBe("quote");
    expect(await words.locator("a").getAttribute("href")).toBe("https://example.com/");
    expect(await words.locator("a").getAttribute("rel")).toBe("noopener noreferrer");
    await words.locator(".spoiler").click();
    await words.locator(".spoiler.open").waitFor();
  });

  test("a pressed button waits until the bot answers, and shows the answer", async () => {
    const { bot, page } = await startPage(({ bot: call }) =>
      call("sendMessage", {
        chat_id,
        text: "Sure?",
        reply_markup: { inline_keyboard: [[{ text: "Go", callback_data: "go" }]] },
      }),
    );
    await page.getByRole("button", { name: "Go", exact: true }).click();
    await page.locator('.keys button[aria-busy="true"]').waitFor();

    const [update] = (await bot("getUpdates")).result;
    await bot("answerCallbackQuery", { callback_query_id: update.callback_query.id, text: "Gone", show_alert: true });

    await page.getByRole("dialog").getByText("Gone").waitFor();
    await page.getByRole("button", { name: "OK" }).click();
    await page.locator('.keys button[aria-busy="false"]').waitFor();
  });

  test("an edit changes the message in its place", async () => {
    const { bot, page } = await startPage(({ bot: call }) => call("sendMessage", { chat_id, text: "before" }));
    await sent(page, "before").waitFor();

    await bot("editMessageText", { chat_id, message_id: 1, text: "after" });

    await sent(page, "after").getByText("edited").waitFor();
    expect(await page.locator(".message").count()).toBe(1);
  });

  test('the "/" menu narrows while typing and sends with Enter', async () => {
    const commands = [
      ["status", "State"],
      ["pause", "Stop new entries"],
      ["pnl", "Profit and loss"],
    ];
    const { bot, page } = await startPage(({ bot: call }) =>
      call("setMyCommands", { commands: commands.map(([command, description]) => ({ command, description })) }),
    );
    await page.getByRole("textbox", { name: "Message" }).pressSequentially("/p");
    const options = page.getByRole("listbox").getByRole("option");
    await options.first().waitFor();
    expect(await options.allTextContents()).toEqual(["/pauseStop new entries", "/pnlProfit and loss"]);

    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");

    await sent(page, "/pnl").waitFor();
    expect((await bot("getUpdates")).result).toMatchObject([{ message: { text: "/pnl" } }]);
  });

  test("the bot's keyboard sends its words", async () => {
    const { bot, page } = await startPage(({ bot: call }) =>
      call("sendMessage", {
        chat_id,
        text: "Period?",
        reply_markup: { keyboard: [["Today", "Week"]], one_time_keyboard: true },
      }),
    );

    await page.getByRole("group", { name: "The bot's keyboard" }).getByRole("button", { name: "Week" }).click();

    await sent(page, "Week").waitFor();
    await page.getByRole("button", { name: "Week" }).waitFor({ state: "hidden" });
    expect((await bot("getUpdates")).result).toMatchObject([{ message: { text: "Week" } }]);
  });

  test("a reader further up stays there, is told of new messages, and comes down on request", async () => {
    const { bot, page } = await startPage(async ({ bot: call }) => {
      for (let line = 1; line <= 40; line += 1) await call("sendMessage", { chat_id, text: `line ${line}.` });
    });
    await sent(page, "line 40.").waitFor();
    const scroll = page.locator("#scroll");
    await scroll.evaluate((element) => element.scrollTo(0, 100));
    const down = page.getByRole("button", { name: /newest message/ });
    await down.waitFor();

    await bot("sendMessage", { chat_id, text: "news" });

    await page.getByRole("button", { name: "1 new message, go to it" }).click();
    await page.getByText("Unread messages").waitFor();
    await page.locator("#to-bottom").waitFor({ state: "hidden" });
    expect(
      await scroll.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight),
    ).toBeLessThan(60);
  });

  test("the unread marker moves to what came since everything was seen", async () => {
    const { bot, page } = await startPage(async ({ bot: call }) => {
      for (let line = 1; line <= 40; line += 1) await call("sendMessage", { chat_id, text: `line ${line}.` });
    });
    await sent(page, "line 40.").waitFor();
    const marked = page.locator(".unread + .message");

    for (const text of ["first news", "second news"]) {
      await page.locator("#scroll").evaluate((element) => element.scrollTo(0, 100));
      await page.getByRole("button", { name: /newest message/ }).waitFor();
      await bot("sendMessage", { chat_id, text });
      await marked.filter({ hasText: text }).waitFor();
      await page.getByRole("button", { name: "1 new message, go to it" }).click();
      await page.locator("#to-bottom").waitFor({ state: "hidden" });
    }

    expect(await page.locator(".unread").count()).toBe(1);
  });

  test("a picture opens large and closes with Escape", async () => {
    const { page } = await startPage(({ bot }) =>
      bot(
        "sendPhoto",
        formOf({ chat_id: String(chat_id), caption: "Today" }, { photo: { bytes: pngOf(1_000, 600), name: "c.png" } }),
      ),
    );

    await page.getByRole("button", { name: "Open the picture: Today" }).click();
    await page.getByRole("dialog", { name: "Picture" }).getByText("Today").waitFor();
    await page.keyboard.press("Escape");

    await page.getByRole("dialog", { name: "Picture" }).waitFor({ state: "hidden" });
  });

  test("a question that wants a reply stands above the text field until it is answered", async () => {
    const { page } = await startPage(({ bot }) =>
      bot("sendMessage", { chat_id, text: "How many bars?", reply_markup: { force_reply: true } }),
    );
    const bar = page.getByText("Reply to Quant Scalper");
    await bar.waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("90");
    await page.keyboard.press("Enter");

    await bar.waitFor({ state: "hidden" });
  });

  test("the pictures of an album hang together", async () => {
    const { page } = await startPage(({ bot }) =>
      bot(
        "sendMediaGroup",
        formOf(
          {
            chat_id: String(chat_id),
            media: '[{"type":"photo","media":"attach://a"},{"type":"photo","media":"attach://b"}]',
          },
          { a: { bytes: pngOf(40, 30), name: "a.png" }, b: { bytes: pngOf(40, 30), name: "b.png" } },
        ),
      ),
    );

    await page.locator("#m1.joined-after").waitFor();
    await page.locator("#m2.joined-before").waitFor();
  });

  test("the pinned bar and what the bot is doing are shown", async () => {
    const { page } = await startPage(async ({ bot }) => {
      await bot("sendMessage", { chat_id, text: "Card\nline" });
      await bot("pinChatMessage", { chat_id, message_id: 1, disable_notification: true });
      await bot("sendChatAction", { chat_id, action: "upload_photo" });
    });

    await page.getByText("sending a photo…").waitFor();
    await page.getByRole("button", { name: "Pinned message Card line" }).click();
  });

  test("the played person can be changed to a stranger, whose chat is another", async () => {
    const { bot, page } = await startPage(({ person }) => person("message", { text: "mine" }));
    await sent(page, "mine").waitFor();

    await page.getByRole("combobox").selectOption({ label: "Stranger" });
    await page.getByText("No messages yet").waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("let me in");
    await page.keyboard.press("Enter");

    await sent(page, "let me in").waitFor();
    expect((await bot("getUpdates", { offset: -1 })).result).toMatchObject([
      { message: { from: { id: STRANGER.id } } },
    ]);
  });

  test("says when the server is gone, keeps what was typed, and goes on when it is back", async () => {
    const options = { clock: wallClock, owner: OWNER, banner: "DEMO", log: silentLog };
    const first = await startBotApiServer({ port: 0, ...options });
    const page = await openPage(first.url);

    await first.close();
    await page.getByText("The demo server doesn't answer. Reconnecting…").waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("kept");
    await page.keyboard.press("Enter");
    await page.getByText("nothing was sent").waitFor();
    expect(await page.getByRole("textbox", { name: "Message" }).inputValue()).toBe("kept");
    const second = await startBotApiServer({ port: first.port, ...options });
    onTestFinished(() => second.close());

    await page.getByText("Reconnecting…").waitFor({ state: "hidden" });
    await page.keyboard.press("Enter");
    await sent(page, "kept").waitFor();
  });
});
