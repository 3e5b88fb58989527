// Follows a flatten from the press to the broker's word: one message, edited at each step. Flat is only said on the
// engine's `flat_confirmed`; the engine itself goes on trying meanwhile.
import type { Cancel, Clock } from "../clock.ts";
import type { Caused, Desk, QueuedNotice } from "../trading/desk.ts";
import { HOUR_MS } from "../units.ts";
import type { Channel } from "./channel.ts";
import type { Caller } from "./context.ts";
import { flattenProgress, flatVerified, notFlat, type Step } from "./views/flatten.ts";
import { lines } from "./views/rich.ts";
import { plain, type View } from "./views/view.ts";
import { counted, price } from "./views/words.ts";

/** Follows flattens. */
export type Flattens = {
  /** Begins to flatten and shows its life in the message that was pressed. Resolves once the desk has answered. */
  begin(caller: Caller): Promise<void>;
  /** Stops following. */
  stop(): void;
};

/** A message is followed for so long; afterwards the alerts go on alone. */
const FOLLOW_MS_MAX = HOUR_MS;

/** Returns a follower over this desk. */
export function createFlattens(options: { desk: Desk; channel: Channel; wall: Clock }): Flattens {
  const { desk, channel, wall } = options;
  const running = new Set<() => void>();
  let count = 0;

  const begin = async (caller: Caller): Promise<void> => {
    const startedAtMs = desk.snapshot().nowMs;
    const ordersBefore = ourOrders(desk);
    const steps: Step[] = [];
    const cancels: Cancel[] = [];
    count += 1;
    const key = `flatten-${count}`;
    let messageId = caller.pressedMessageId;
    let isOver = false;

    const show = (view: View): void => {
      void channel
        .post({
          place: caller.place,
          content: { type: "edit", view, messageId: () => messageId },
          priority: "emergency",
          personId: caller.user.id,
          giveUpAfterMs: FOLLOW_MS_MAX,
          replaces: key,
        })
        .then((delivery) => {
          if (delivery.type === "delivered") messageId = delivery.messageId;
        });
    };
    const step = (text: string): void => {
      if (isOver || steps.some((one) => one.text === text)) return;
      steps.push({ text, atMs: desk.snapshot().nowMs });
      show(flattenProgress(desk.snapshot(), startedAtMs, steps));
    };
    const end = (): void => {
      isOver = true;
      for (const cancel of cancels) cancel();
      running.delete(end);
    };
    running.add(end);

    const onEffect = (effect: Caused): void => {
      switch (effect.type) {
        case "posture_changed":
          if (effect.to === "flattening") step("entries off");
          return;
        case "notice_queued":
          if (effect.notice.event === "exit_filled") {
            const { trade } = effect.notice;
            step(
              `${trade.side === "buy" ? "sold" : "bought"} ${trade.quantity} at ${price(desk.snapshot(), trade.exitPriceTicks)}`,
            );
          }
          return;
        case "flat_confirmed":
          end();
          show(flatVerified(desk.snapshot(), effect.netCents, steps));
          return;
        default:
          if (!isOver && steps.length > 0 && ordersBefore > 0 && ourOrders(desk) === 0)
            step(`${counted(ordersBefore, "order")} gone`);
      }
    };
    const onNotice = ({ notice, noticeId }: QueuedNotice): void => {
      if (notice.event === "not_flat") show(notFlat(desk.snapshot(), notice.seconds, notice.detail, noticeId));
    };
    // Before the command: a book that is flat already may be confirmed at once.
    cancels.push(desk.observe(onEffect), desk.notices.onQueued(onNotice), wall.after(FOLLOW_MS_MAX, end));

    const answer = await desk.flatten(caller.origin);
    if (answer.accepted && !isOver) return show(flattenProgress(desk.snapshot(), startedAtMs, steps));
    if (answer.accepted) return;
    end();
    show(plain(lines(...answer.lines)));
  };

  return {
    begin,
    stop: () => {
      for (const end of [...running]) end();
    },
  };
}

function ourOrders(desk: Desk): number {
  return desk.snapshot().status.orders.filter((order) => order.leg !== null).length;
}
