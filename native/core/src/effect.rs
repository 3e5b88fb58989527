//! What the engine wants done or said. The shell journals each effect, then acts on it; it takes no decision of its own.

use crate::event::{Ask, Bar, ConfigChange};
use crate::status::{ExitReason, Gate, OrderKind, Posture, Side, Tif, Today};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An effect and the event that caused it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Caused {
    /// Sequence number of the cause in the journal.
    pub cause: i64,
    /// What to do.
    #[serde(flatten)]
    pub effect: Effect,
}

/// What is asked of the broker, with the terms that the answer must be about; its name is [`Ask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "ask",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum BrokerQuestion {
    /// The listing to trade.
    Contract {},
    /// Open orders, executions and positions in one piece.
    State {},
    /// Bars to fill the window.
    History {
        /// Their length; 0 = a bar for every trade, of which no broker has any.
        bar_ms: i64,
        /// How many, the newest.
        bars: u32,
    },
    /// Trades and quotes from now on.
    MarketData {},
    /// What an entry would do to the account's margin (D24).
    Margin {
        /// Contracts of the entry.
        quantity: u32,
    },
}

impl BrokerQuestion {
    /// Returns the question's name, by which a failure is told.
    pub fn ask(self) -> Ask {
        match self {
            BrokerQuestion::Contract {} => Ask::Contract,
            BrokerQuestion::State {} => Ask::State,
            BrokerQuestion::History { .. } => Ask::History,
            BrokerQuestion::MarketData {} => Ask::MarketData,
            BrokerQuestion::Margin { .. } => Ask::Margin,
        }
    }
}

/// One thing to do or to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Effect {
    /// Orders to send, modify or cancel: on the disk first, then on the wire, then `sent`.
    Intent {
        /// The order, or the first of a bracket.
        order_ref: String,
        /// What exactly.
        action: OrderAction,
        /// Why, in the words of the decision record.
        why: String,
    },
    /// A question to the broker.
    AskBroker(BrokerQuestion),
    /// Knock with `woke` at this time; replaces an earlier wish.
    WakeAt {
        /// When.
        at_ms: i64,
    },
    /// A bar has closed: what was seen, what was decided, what stopped it.
    Decision {
        /// The bar.
        bar: Bar,
        /// None where undefined [S3].
        z: Option<f64>,
        /// Mean of the window in ticks.
        mean_ticks: Option<f64>,
        /// Standard deviation in ticks.
        sd_ticks: Option<f64>,
        /// Bars in the window.
        filled: u32,
        /// What the strategy wants before risk has looked.
        wants: Wish,
        /// The first gate that stopped an entry; none where nothing did.
        blocked_by: Option<String>,
    },
    /// Something for a person: queued on the disk, told by the outbox until acknowledged by the channel.
    NoticeQueued {
        /// How it is told and whether it can be off.
        class: NoticeClass,
        /// Folding: the same key is told at most once in 60 s, with a count.
        dedupe_key: Option<String>,
        /// What.
        notice: Notice,
    },
    /// A round trip is complete.
    RoundTrip {
        /// The trade.
        trade: RoundTrip,
    },
    /// A round trip that was told is another than was known then: takes the place of the one with the same `trade_id`.
    RoundTripRestated {
        /// The trade as it is known now.
        trade: RoundTrip,
        /// What changed, for a person.
        why: String,
    },
    /// End the connection to the broker and make a new one: it does not answer any more (R21).
    DropLink {
        /// Why, for a person.
        reason: String,
    },
    /// Posture changed.
    PostureChanged {
        /// Before.
        from: Posture,
        /// Now.
        to: Posture,
        /// Until when it is paused; none = until a person says so.
        until_ms: Option<i64>,
        /// Why.
        reason: String,
    },
    /// Write the halt latch before doing anything that follows.
    Latch {
        /// Who or which control.
        by: String,
        /// Why.
        reason: String,
    },
    /// Remove the halt latch: a person has armed.
    Unlatch {
        /// Who.
        by: String,
    },
    /// A control of the reliability note (section D) tripped or cleared.
    Control {
        /// Its event name in lower snake case: "daily_loss".
        control: String,
        /// True where it tripped.
        tripped: bool,
        /// The figures, for a person.
        detail: String,
    },
    /// Answers a command, for the door that it came through.
    CommandAnswered {
        /// Who asked.
        by: String,
        /// Telegram's update.
        update_id: Option<i64>,
        /// "pause", "resume", "flatten", "halt", "arm", "acknowledge", "adopt".
        verb: String,
        /// True where it was done or begun.
        accepted: bool,
        /// True where this update had been obeyed before; nothing was done again.
        repeated: bool,
        /// What was done, or why not and what to do instead; sentences for a person.
        lines: Vec<String>,
    },
    /// The broker has confirmed: position 0 and no working orders of ours.
    FlatConfirmed {
        /// Fills' result since the flatten began.
        net_cents: i64,
    },
    /// An order may exist or not: never sent again, asked about.
    InDoubt {
        /// The order.
        order_ref: String,
        /// Why.
        reason: String,
    },
    /// Something that should not happen; nothing was changed by it.
    Anomaly {
        /// What.
        detail: String,
    },
}

/// What the strategy wants at a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Nothing.
    Nothing,
    /// Buy.
    EnterLong,
    /// Sell.
    EnterShort,
    /// Leave.
    Exit,
}

/// What to do with orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum OrderAction {
    /// Send new orders in one go, the last one transmits all.
    Place {
        /// Entry first, then its children; or one exit.
        orders: Vec<OrderRequest>,
    },
    /// Give a working order new terms.
    Modify {
        /// The order with its new terms.
        order: OrderRequest,
    },
    /// Take a working order back.
    Cancel {
        /// The wire handle of the one that is meant where several orders have this reference (R19); none = the only one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        order_id: Option<i64>,
    },
}

/// An order as we ask for it. Nothing is left to a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OrderRequest {
    /// Ours, unique for ever: `QS1-<instance4>-<yymmdd>-<seq base36>-<leg>`.
    pub order_ref: String,
    /// Which way.
    pub side: Side,
    /// Contracts.
    pub quantity: u32,
    /// Kind and price.
    pub kind: OrderKind,
    /// How long it lives.
    pub tif: Tif,
    /// The entry that it waits for.
    pub parent_ref: Option<String>,
    /// One cancels the other within this group.
    pub oca_group: Option<String>,
    /// True where it works at all hours.
    pub outside_rth: bool,
}

/// How a notice is told (telegram note, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NoticeClass {
    /// Safety; can be silent, never off; carries an Acknowledge button.
    Critical,
    /// Entries and exits.
    Trade,
    /// Session open and close, summary, roll.
    Session,
    /// Links and data.
    Link,
    /// Paused, resumed, armed, config.
    Control,
    /// Started, stopped.
    System,
}

/// Why an entry was made, for its notice and for /why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EntryReason {
    /// z at the signal.
    pub z: f64,
    /// The threshold that it reached, signed.
    pub threshold_z: f64,
    /// The close that made it, in ticks.
    pub close_ticks: f64,
    /// Mean of the window in ticks.
    pub mean_ticks: f64,
    /// Standard deviation in ticks.
    pub sd_ticks: f64,
    /// Bars in the window.
    pub window: u32,
    /// Bar length.
    pub sampling_ms: i64,
}

/// What a person is told: figures only, the words are the view's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "event",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Notice {
    /// An entry's orders went out.
    EntrySent {
        /// Buy or sell.
        side: Side,
        /// Contracts.
        quantity: u32,
        /// Why.
        reason: EntryReason,
    },
    /// An entry filled.
    EntryFilled {
        /// Buy or sell.
        side: Side,
        /// Contracts of this fill.
        quantity: u32,
        /// Fill price.
        price_ticks: i32,
        /// Why; none where adopted.
        reason: Option<EntryReason>,
        /// The stop at the broker.
        stop_ticks: Option<i32>,
        /// The target at the broker.
        target_ticks: Option<i32>,
        /// Where the z-exit stands now, in ticks.
        exit_near_ticks: Option<f64>,
        /// z that exits, signed.
        exit_z: f64,
        /// Latest exit by the hold limit.
        latest_exit_at_ms: i64,
        /// Against the signal's close, in ticks; positive = worse.
        slippage_ticks: Option<i64>,
        /// Fees of this fill.
        fee_cents: i64,
    },
    /// A round trip ended.
    ExitFilled {
        /// The trade.
        trade: RoundTrip,
        /// The day so far.
        today: Today,
    },
    /// An order was refused by the broker.
    OrderRejected {
        /// Ours.
        order_ref: String,
        /// The broker's code.
        code: i32,
        /// The broker's words.
        text: String,
        /// True where it was to reduce risk.
        on_exit: bool,
    },
    /// Our own risk said no to an entry that the strategy wanted.
    EntryDenied {
        /// Which way.
        side: Side,
        /// The gate.
        gate: Gate,
    },
    /// Entries are off until a person says /arm.
    Halted {
        /// Control's event name or "command".
        control: String,
        /// The figures.
        detail: String,
        /// What is being done.
        doing: Vec<String>,
        /// The day so far.
        today: Today,
    },
    /// Entries are off for a while.
    Paused {
        /// None = until /resume.
        until_ms: Option<i64>,
        /// Why.
        reason: String,
        /// Who, or "risk".
        by: String,
    },
    /// Entries are on again.
    Resumed {
        /// Who, or "timer".
        by: String,
    },
    /// A halt was cleared.
    Armed {
        /// Who.
        by: String,
    },
    /// A flatten began.
    Flattening {
        /// Who or which control.
        by: String,
        /// Signed contracts at the time.
        position: i64,
        /// Working orders of ours at the time.
        orders: u32,
    },
    /// The broker has confirmed that we are flat.
    FlatConfirmed {
        /// Result of the fills since the flatten began.
        net_cents: i64,
        /// Posture now.
        posture: Posture,
    },
    /// A flatten has not ended in time.
    NotFlat {
        /// Seconds since it began.
        seconds: i64,
        /// Signed contracts by our book.
        position: i64,
        /// What is in the way and what comes next.
        detail: String,
    },
    /// A position has no stop at the broker, or the broker's figures differ from ours.
    PositionMismatch {
        /// By our book.
        ours: i64,
        /// By the broker's.
        brokers: i64,
        /// What the bot does now.
        detail: String,
    },
    /// An order may exist or not.
    OrderInDoubt {
        /// Ours.
        order_ref: String,
        /// Why, and what is being done.
        detail: String,
    },
    /// The broker's link is gone.
    GatewayDown {
        /// Why.
        detail: String,
        /// Signed contracts.
        position: i64,
    },
    /// The broker's link is back and reconciled.
    GatewayUp {
        /// How long it was gone.
        down_ms: i64,
        /// What reconciliation found, empty = nothing.
        differences: Vec<String>,
    },
    /// No fresh quote in open hours.
    DataStale {
        /// Age.
        age_ms: i64,
    },
    /// Quotes are back.
    DataFresh {
        /// How long they were gone.
        gone_ms: i64,
    },
    /// The window is full.
    WarmedUp {
        /// Bars.
        bars: u32,
    },
    /// A trading day began.
    SessionOpened {
        /// "2026-11-25".
        trade_date: String,
    },
    /// A trading day's figures.
    DailySummary {
        /// "2026-11-25".
        trade_date: String,
        /// Figures.
        today: Today,
        /// Entries that gates stopped, by gate.
        blocked: Vec<Count>,
        /// Exits by reason.
        exits: Vec<Count>,
        /// How often the gateway was gone and for how long.
        gateway_down_count: u32,
        /// In all.
        gateway_down_ms: i64,
    },
    /// The contract nears its roll.
    RollDue {
        /// "MESZ6".
        local_symbol: String,
        /// Calendar days to the last trade date.
        days_left: i64,
    },
    /// The settings were changed.
    ConfigChanged {
        /// New revision.
        revision: u32,
        /// Who.
        by: String,
        /// What.
        changes: Vec<ConfigChange>,
    },
    /// The program runs.
    Started {
        /// Version.
        version: String,
        /// True after a crash.
        after_crash: bool,
        /// Posture that it starts with.
        posture: Posture,
    },
    /// The program ends in order.
    Stopped {
        /// Why.
        reason: String,
        /// Signed contracts that stay open.
        position: i64,
        /// Own orders that keep working at the broker.
        orders: u32,
    },
    /// The shell has something to tell.
    Told {
        /// The event's name.
        name: String,
        /// Sentences.
        lines: Vec<String>,
    },
}

/// A name and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// What.
    pub name: String,
    /// How often.
    pub count: u32,
}

/// Flat → position → flat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RoundTrip {
    /// Counts from 1 for ever.
    pub trade_id: i64,
    /// Trading day of the exit, "2026-11-25".
    pub trade_date: String,
    /// "MESZ6".
    pub contract: String,
    /// Side of the entry.
    pub side: Side,
    /// Contracts at the largest.
    pub quantity: u32,
    /// The close that made the signal.
    pub signal_at_ms: i64,
    /// First entry fill.
    pub entry_at_ms: i64,
    /// Last exit fill.
    pub exit_at_ms: i64,
    /// Average, in ticks.
    pub entry_price_ticks: f64,
    /// Average, in ticks.
    pub exit_price_ticks: f64,
    /// Why it ended.
    pub reason: ExitReason,
    /// Before fees.
    pub gross_cents: i64,
    /// Both sides.
    pub fees_cents: i64,
    /// After fees.
    pub net_cents: i64,
    /// z at the signal.
    pub z_entry: Option<f64>,
    /// z at the last close before the exit.
    pub z_exit: Option<f64>,
    /// Worst open loss on the way, ≤ 0.
    pub mae_cents: i64,
    /// Best open gain on the way, ≥ 0.
    pub mfe_cents: i64,
}
