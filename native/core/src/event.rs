//! What the engine is told: every thing that can change a decision, one at a time, in journal order.

use crate::settings::EngineSettings;
use crate::status::{Link, OrderKind, Side};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One thing that happened. The journal stamps it with its sequence number and the time at which it was taken in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// A trade print. Travels packed.
    Trade {
        /// The exchange's time; whole seconds where the broker tells no more.
        exchange_at_ms: i64,
        /// Price.
        price_ticks: i32,
        /// Contracts.
        size: i32,
    },
    /// A change of the best bid or ask. Travels packed.
    Quote {
        /// The exchange's time.
        exchange_at_ms: i64,
        /// None = no bid.
        bid_ticks: Option<i32>,
        /// None = no ask.
        ask_ticks: Option<i32>,
        /// Contracts.
        bid_size: i32,
        /// Contracts.
        ask_size: i32,
    },
    /// A run of the program begins with these settings; the first event of each run.
    Started {
        /// Program version.
        version: String,
        /// What the account badge says: "DEMO", "PAPER" or "LIVE".
        badge: String,
        /// True where trading starts by itself once reconciled; false = starts HALTED (live).
        starts_trading: bool,
        /// True after a run that did not end with `Stopped`.
        after_crash: bool,
        /// True where the halt latch lies on the disk.
        latched: bool,
        /// Revision of the configuration.
        revision: u32,
        /// The settings in force.
        settings: EngineSettings,
    },
    /// The run is about to end in order.
    Stopped {
        /// "SIGINT".
        reason: String,
    },
    /// A time asked for by `wake_at` has come, or the shell knocks in passing. Only the stamp matters.
    Woke {},
    /// Answers `ask_broker` history: closed and perhaps one unfinished bar, oldest first.
    History {
        /// The bars' length, as it was asked for; none in journals of before it was told.
        #[serde(default)]
        bar_ms: Option<i64>,
        /// Bars of the sampling asked for.
        bars: Vec<Bar>,
    },
    /// The link to the broker changed.
    LinkChanged {
        /// Its state now.
        link: Link,
        /// Counts connections; grows by one with each.
        epoch: u32,
        /// What is known of the cause, for a person.
        detail: String,
        /// The account, once known.
        account: Option<String>,
    },
    /// The market data behind a subscription were said to be broken or to work again (2103/2104), or not permitted.
    FeedChanged {
        /// True where data may be trusted again.
        ok: bool,
        /// Why, for a person.
        detail: String,
    },
    /// Answers `ask_broker` contract.
    ContractResolved {
        /// The listing to trade.
        contract: Contract,
    },
    /// A request to the broker had no answer or was refused.
    AskFailed {
        /// Which one.
        ask: Ask,
        /// Why, for a person.
        detail: String,
    },
    /// Orders' bytes have been handed to the socket.
    Sent {
        /// Ours.
        order_ref: String,
        /// The wire handle of this epoch.
        order_id: i64,
        /// The connection that took them.
        epoch: u32,
    },
    /// Orders' bytes have provably not been handed to the socket.
    NotSent {
        /// Ours.
        order_ref: String,
        /// Why.
        reason: String,
    },
    /// The broker told an order's state (openOrder or orderStatus).
    OrderReported {
        /// The order.
        order: BrokerOrder,
    },
    /// The broker refused an order.
    OrderRefused {
        /// Ours.
        order_ref: String,
        /// Its code.
        code: i32,
        /// Its words.
        text: String,
    },
    /// The broker could not cancel or modify (104, 105, 135, 161, 10147, 10148).
    ChangeRefused {
        /// Ours.
        order_ref: String,
        /// Its code.
        code: i32,
        /// Its words.
        text: String,
    },
    /// The broker warned about an order that may well be working (399, 2109).
    OrderWarned {
        /// Ours.
        order_ref: String,
        /// Its code.
        code: i32,
        /// Its words.
        text: String,
    },
    /// An execution, told by the broker, perhaps more than once.
    Fill {
        /// The execution.
        fill: BrokerFill,
    },
    /// What an execution cost.
    Commission {
        /// Which execution.
        exec_id: String,
        /// Fees.
        fee_cents: i64,
    },
    /// The broker told a position.
    PositionReported {
        /// The position.
        position: BrokerPosition,
    },
    /// The broker told the account's figures.
    AccountReported {
        /// Net liquidation value.
        net_liquidation_cents: Option<i64>,
        /// What may still be used as margin.
        excess_liquidity_cents: Option<i64>,
        /// Realised today, the broker's view.
        realised_cents: Option<i64>,
    },
    /// Answers `ask_broker` margin: what the broker says that an entry of `quantity` contracts would do.
    MarginReported {
        /// Contracts of the order that was asked about.
        quantity: u32,
        /// Equity with loan value after it.
        equity_cents: i64,
        /// Initial margin that it adds.
        margin_cents: i64,
        /// Initial margin of everything after it.
        margin_after_cents: i64,
    },
    /// Answers `ask_broker` state: what the broker says is true, in one piece.
    Reconciled {
        /// All working orders, of every client.
        open_orders: Vec<BrokerOrder>,
        /// Executions of the broker's day.
        fills: Vec<BrokerFill>,
        /// All positions.
        positions: Vec<BrokerPosition>,
        /// The broker's clock.
        broker_at_ms: Option<i64>,
    },
    /// A person commands.
    Command {
        /// Who, for the record: "anna (123456789)" or "console".
        by: String,
        /// Telegram's update, for de-duplication; none from other doors.
        update_id: Option<i64>,
        /// What.
        command: Command,
    },
    /// The settings were changed by a person.
    ConfigChanged {
        /// The new revision.
        revision: u32,
        /// Who.
        by: String,
        /// Telegram's update.
        update_id: Option<i64>,
        /// For people.
        changes: Vec<ConfigChange>,
        /// The settings from now on.
        settings: EngineSettings,
    },
    /// The exchange's trading day is over by the calendar: a summary is due.
    SummaryDue {},
    /// A gate of the shell opened or closed (journal, disk, loop lag, control channel).
    GateChanged {
        /// Its name: "journal", "disk", "loop_lag", "control".
        gate: String,
        /// True where entries are blocked.
        blocks: bool,
        /// The figures, for a person.
        detail: String,
    },
    /// The shell has something to tell (Telegram lost and back, recovery after a crash).
    Told {
        /// "critical", "trade", "session", "link", "control" or "system".
        class: String,
        /// The event's name in lower snake case.
        event: String,
        /// Sentences, ready for a person.
        lines: Vec<String>,
    },
}

/// A bar of trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Bar {
    /// Its first millisecond.
    pub open_at_ms: i64,
    /// First price.
    pub open_ticks: i32,
    /// Highest price.
    pub high_ticks: i32,
    /// Lowest price.
    pub low_ticks: i32,
    /// Last price.
    pub close_ticks: i32,
    /// Contracts.
    pub volume: i64,
}

/// The name of what can be asked of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The listing to trade.
    Contract,
    /// Open orders, executions and positions in one piece.
    State,
    /// Bars to fill the window.
    History,
    /// Trades and quotes from now on.
    MarketData,
    /// What an entry would do to the account's margin (D24).
    Margin,
}

/// One dated listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// The broker's id.
    pub con_id: i64,
    /// "MESZ6".
    pub local_symbol: String,
    /// "202612".
    pub month: String,
    /// Last trade date, "2026-12-18".
    pub last_trade_date: String,
    /// Tick size in ten-thousandths, as the broker says.
    pub tick_size_e4: i64,
    /// Multiplier times 100, as the broker says: 500 for MES.
    pub multiplier_cents: i64,
    /// When it trades, oldest first, in absolute time; adjoining spans are joined.
    pub hours: Vec<Span>,
}

/// A span of time, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// First millisecond.
    pub from_ms: i64,
    /// First millisecond that is outside again.
    pub to_ms: i64,
}

/// An order as the broker tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokerOrder {
    /// Empty where somebody else's.
    pub order_ref: String,
    /// The wire handle.
    pub order_id: i64,
    /// The client that placed it.
    pub client_id: i64,
    /// The broker's lasting id; 0 = not told yet.
    pub perm_id: i64,
    /// Which listing.
    pub con_id: i64,
    /// Which way.
    pub side: Side,
    /// Contracts asked.
    pub quantity: i64,
    /// Contracts filled, as the broker says; a hint, never a fill.
    pub filled: i64,
    /// What kind and at which price; none for a kind that we never use.
    pub kind: Option<OrderKind>,
    /// The state word, translated.
    pub state: BrokerOrderState,
}

/// The broker's state words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BrokerOrderState {
    /// PendingSubmit, ApiPending.
    Pending,
    /// PreSubmitted: held at the broker (waiting for its parent or trigger).
    Held,
    /// Submitted.
    Working,
    /// PendingCancel.
    CancelPending,
    /// Cancelled, ApiCancelled.
    Cancelled,
    /// Filled.
    Filled,
    /// Inactive.
    Inactive,
}

/// An execution as the broker tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokerFill {
    /// The broker's id; the part after the last dot counts corrections.
    pub exec_id: String,
    /// Empty where somebody else's.
    pub order_ref: String,
    /// The wire handle.
    pub order_id: i64,
    /// The order's lasting id.
    pub perm_id: i64,
    /// Which listing.
    pub con_id: i64,
    /// Which way.
    pub side: Side,
    /// Contracts.
    pub quantity: i64,
    /// Price.
    pub price_ticks: i32,
    /// The broker's time of it.
    pub filled_at_ms: i64,
}

/// A position as the broker tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokerPosition {
    /// Which listing.
    pub con_id: i64,
    /// "MESZ6".
    pub local_symbol: String,
    /// Signed contracts.
    pub position: i64,
    /// Average price in ticks times 100; none where flat.
    pub average_ticks_e2: Option<i64>,
}

/// What a person commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "verb",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Command {
    /// No entries until a time, or until /resume where none.
    Pause {
        /// None = until /resume.
        until_ms: Option<i64>,
    },
    /// Entries again.
    Resume {},
    /// Out of everything, verified.
    Flatten {},
    /// No entries until /arm.
    Halt {
        /// Why, for the record.
        reason: String,
    },
    /// Clears a halt.
    Arm {},
    /// Says that a critical notice was seen.
    Acknowledge {
        /// The notice.
        notice_id: i64,
    },
    /// Answers R13: the position at the broker becomes ours and is protected.
    Adopt {},
}

/// One changed setting, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConfigChange {
    /// "strategy.window".
    pub path: String,
    /// "60 bars".
    pub old: String,
    /// "90 bars".
    pub new: String,
}
