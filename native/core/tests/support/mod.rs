//! A broker that does what it is told, at once, and an engine joined to it: whole round trips in a few lines.
#![allow(dead_code)]

use scalper_core::effect::{
    BrokerQuestion, Caused, Effect, Notice, OrderAction, OrderRequest, RoundTrip,
};
use scalper_core::engine::Engine;
use scalper_core::event::{
    Ask, Bar, BrokerFill, BrokerOrder, BrokerOrderState, BrokerPosition, Command, Contract, Event,
    Span,
};
use scalper_core::settings::*;
use scalper_core::status::{Link, OrderKind, Posture, Side, Status};
use std::collections::{BTreeMap, VecDeque};

/// 2026-11-25 10:00 in Chicago.
pub const START_MS: i64 = 1_795_622_400_000;
pub const SECOND_MS: i64 = 1_000;
pub const CON_ID: i64 = 4_711;
/// Window, bars of one second: small enough to write out.
pub const WINDOW: u32 = 5;

pub fn settings() -> EngineSettings {
    EngineSettings {
        instrument: Instrument {
            symbol: "MES".into(),
            tick_size_e4: 2_500,
            tick_value_cents: 125,
        },
        strategy: StrategySettings {
            sampling_ms: SECOND_MS,
            price: PriceKind::Last,
            window: WINDOW,
            ddof: 1,
            entry_z_e4: 15_000,
            exit_z_e4: 5_000,
            reset_window: ResetWindow::Session,
            quantity: 1,
        },
        risk: RiskSettings {
            stop_cents: Some(20_000),
            target_cents: Some(30_000),
            daily_loss_cents: 50_000,
            daily_loss_basis: DailyLossBasis::Total,
            daily_loss_reset: DailyLossReset::Arm,
            loss_streak: 3,
            loss_streak_pause_ms: 30 * 60_000,
            max_hold_ms: 2 * 3_600_000,
            max_position: 1,
            max_notional_cents: Some(6_000_000),
            loss_budget_check: false,
            trailing_drawdown_cents: None,
            trailing_armed_at_cents: 30_000,
            entry_collar_ticks: 8,
            exit_collar_ticks: 40,
            stale_entry_ms: 2_000,
            stale_alarm_ms: 10_000,
            max_spread_ticks: 2,
            bad_tick_ticks: 10_000,
            max_open_orders: 6,
            entries_max: None,
            orders_max: None,
            excess_liquidity_pct: None,
        },
        session: SessionSettings {
            time_zone: "America/Chicago".into(),
            open_minute: Some(17 * 60),
            entry_windows: vec![],
            no_entry_before_flatten_ms: 0,
            flatten_at_minute: Some(15 * 60 + 55),
            flatten_before_close_ms: 300_000,
            reset_windows: vec![],
            reset_zone: "America/New_York".into(),
        },
        costs: CostSettings {
            fee_cents: 57,
            slippage_ticks: 1,
        },
        instance: "t3st".into(),
        allow_foreign: false,
        roll_days_before: None,
        flat_days_before: None,
    }
}

/// Three contracts an entry.
pub fn three() -> EngineSettings {
    let mut settings = settings();
    settings.strategy.quantity = 3;
    settings.risk.max_position = 3;
    settings.risk.max_notional_cents = Some(60_000_000);
    settings.risk.daily_loss_cents = 1_000_000;
    settings
}

/// The settings with a change.
pub fn with(change: impl Fn(&mut EngineSettings)) -> EngineSettings {
    let mut settings = settings();
    change(&mut settings);
    settings
}

/// Returns how often the broker was asked for everything.
pub fn looks(desk: &Desk) -> usize {
    let asks = desk
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::AskBroker(BrokerQuestion::State {})));
    asks.count()
}

/// Returns what was noted that should not happen.
pub fn anomalies(desk: &Desk) -> Vec<String> {
    let anomalies = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Anomaly { detail } => Some(detail.clone()),
        _ => None,
    });
    anomalies.collect()
}

pub fn started(settings: EngineSettings) -> Event {
    Event::Started {
        version: "0.1.0".into(),
        badge: "DEMO".into(),
        starts_trading: true,
        after_crash: false,
        latched: false,
        revision: 1,
        settings,
    }
}

pub fn contract() -> Contract {
    Contract {
        con_id: CON_ID,
        local_symbol: "MESZ6".into(),
        month: "202612".into(),
        last_trade_date: "2026-12-18".into(),
        tick_size_e4: 2_500,
        multiplier_cents: 500,
        hours: vec![Span {
            from_ms: START_MS - 24 * 3_600_000,
            to_ms: START_MS + 10 * 24 * 3_600_000,
        }],
    }
}

#[derive(Debug, Clone)]
pub struct Held {
    pub request: OrderRequest,
    pub order_id: i64,
    pub state: BrokerOrderState,
    pub filled: i64,
    /// True until it has met the market once.
    pub is_new: bool,
}

/// What the broker leaves out, for faults.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Orders vanish without a trace.
    pub swallow_places: bool,
    /// Orders arrive but nothing is told of them.
    pub mute: bool,
    /// Cancels are not answered.
    pub swallow_cancels: bool,
    /// Entries are refused.
    pub refuse_entries: bool,
    /// Stops are refused.
    pub refuse_stops: bool,
    /// Exit orders of their own are refused.
    pub refuse_exits: bool,
    /// Changes are not answered, and not made.
    pub swallow_modifies: bool,
    /// Changes are refused.
    pub refuse_modifies: bool,
    /// Market orders rest.
    pub hold_market: bool,
    /// What the broker tells arrives only when `deliver` is called.
    pub slow: bool,
    /// Stops and limits rest, whatever the price.
    pub hold_legs: bool,
    /// Questions about the state have no answer.
    pub hide_state: bool,
}

/// Acknowledges and fills; knows one contract.
pub struct Broker {
    pub orders: BTreeMap<String, Held>,
    pub fills: Vec<BrokerFill>,
    pub position: i64,
    pub last_ticks: i32,
    pub faults: Faults,
    pub worst_position: i64,
    /// Fills of stops, targets and exits that did not close anything.
    pub opened_by_legs: u32,
    pub placed: Vec<OrderRequest>,
    /// New terms that were asked for.
    pub modified: Vec<OrderRequest>,
    /// Wire handles whose end was asked for by handle.
    pub cancelled_ids: Vec<i64>,
    /// Further orders that a picture shows as well: second ones of ours, or somebody else's.
    pub doubles: Vec<BrokerOrder>,
    /// Positions in other contracts.
    pub others: Vec<BrokerPosition>,
    /// By how much its clock is ahead; it tells whole seconds.
    pub skew_ms: i64,
    /// The broker's answer about the margin of one contract: equity, and what it needs; none = no answer.
    pub margin: Option<(i64, i64)>,
    next_id: i64,
    executions: usize,
}

impl Broker {
    pub fn report(&self, key: &str) -> Event {
        let held = &self.orders[key];
        Event::OrderReported {
            order: BrokerOrder {
                order_ref: held.request.order_ref.clone(),
                order_id: held.order_id,
                client_id: 1,
                perm_id: 900 + held.order_id,
                con_id: CON_ID,
                side: held.request.side,
                quantity: i64::from(held.request.quantity),
                filled: held.filled,
                kind: Some(held.request.kind),
                state: held.state,
            },
        }
    }

    pub fn place(&mut self, orders: &[OrderRequest], epoch: u32, at_ms: i64) -> Vec<Event> {
        let mut out = Vec::new();
        for request in orders {
            self.placed.push(request.clone());
            self.next_id += 1;
            out.push(Event::Sent {
                order_ref: request.order_ref.clone(),
                order_id: self.next_id,
                epoch,
            });
            if self.faults.swallow_places {
                continue;
            }
            let is_entry = request.order_ref.ends_with('E');
            let is_stop = matches!(request.kind, OrderKind::Stop { .. });
            let orphan = request
                .parent_ref
                .as_ref()
                .is_some_and(|parent| !self.orders.contains_key(parent));
            // A group in which something has filled takes no new member.
            let is_spent = request.oca_group.is_some()
                && self
                    .orders
                    .values()
                    .any(|held| held.request.oca_group == request.oca_group && held.filled > 0);
            if is_spent
                || (is_entry && self.faults.refuse_entries)
                || (is_stop && self.faults.refuse_stops)
                || (request.order_ref.ends_with('X') && self.faults.refuse_exits)
                || orphan
            {
                let text = "margin".to_owned();
                out.push(Event::OrderRefused {
                    order_ref: request.order_ref.clone(),
                    code: 201,
                    text,
                });
                continue;
            }
            let held = Held {
                request: request.clone(),
                order_id: self.next_id,
                state: BrokerOrderState::Working,
                filled: 0,
                is_new: true,
            };
            self.orders.insert(request.order_ref.clone(), held);
            out.push(self.report(&request.order_ref));
        }
        out.extend(self.matching(at_ms));
        if self.faults.mute {
            out.retain(|event| matches!(event, Event::Sent { .. }));
        }
        out
    }

    pub fn cancel(&mut self, order_ref: &str) -> Vec<Event> {
        if self.faults.swallow_cancels {
            return vec![];
        }
        let Some(held) = self.orders.get_mut(order_ref) else {
            return vec![Event::ChangeRefused {
                order_ref: order_ref.into(),
                code: 10_147,
                text: "not found".into(),
            }];
        };
        if held.state == BrokerOrderState::Filled {
            return vec![Event::ChangeRefused {
                order_ref: order_ref.into(),
                code: 10_148,
                text: "Filled".into(),
            }];
        }
        held.state = BrokerOrderState::Cancelled;
        vec![self.report(order_ref)]
    }

    pub fn modify(&mut self, order: &OrderRequest, at_ms: i64) -> Vec<Event> {
        self.modified.push(order.clone());
        if self.faults.swallow_modifies {
            return vec![];
        }
        let Some(held) = self.orders.get_mut(&order.order_ref) else {
            return vec![];
        };
        if self.faults.refuse_modifies {
            return vec![Event::ChangeRefused {
                order_ref: order.order_ref.clone(),
                code: 104,
                text: "no".into(),
            }];
        }
        held.request = order.clone();
        held.is_new = true;
        let mut out = vec![self.report(&order.order_ref)];
        out.extend(self.matching(at_ms));
        out
    }

    /// A new day: old executions are no longer told.
    pub fn forget_fills(&mut self) {
        self.fills.clear();
    }

    /// Fills what the last price fills.
    pub fn matching(&mut self, at_ms: i64) -> Vec<Event> {
        let mut out = Vec::new();
        loop {
            let hit = self.orders.values().find(|held| {
                let parent_done = held
                    .request
                    .parent_ref
                    .as_ref()
                    .and_then(|parent| self.orders.get(parent))
                    .is_none_or(|parent| parent.state == BrokerOrderState::Filled);
                let side = held.request.side;
                let reached = match held.request.kind {
                    OrderKind::Limit { .. } | OrderKind::Stop { .. } if self.faults.hold_legs => {
                        false
                    }
                    OrderKind::Market {} => !self.faults.hold_market,
                    OrderKind::Limit { limit_ticks } => match side {
                        Side::Buy => self.last_ticks <= limit_ticks,
                        Side::Sell => self.last_ticks >= limit_ticks,
                    },
                    OrderKind::Stop { stop_ticks } => match side {
                        Side::Buy => self.last_ticks >= stop_ticks,
                        Side::Sell => self.last_ticks <= stop_ticks,
                    },
                };
                held.state == BrokerOrderState::Working && parent_done && reached
            });
            let Some(order_ref) = hit.map(|held| held.request.order_ref.clone()) else {
                for held in self.orders.values_mut() {
                    held.is_new &= self.faults.hold_legs;
                }
                return out;
            };
            out.extend(self.fill(&order_ref, at_ms));
        }
    }

    pub fn fill(&mut self, order_ref: &str, at_ms: i64) -> Vec<Event> {
        // A limit that comes in through the market fills at the market, one that rested at its own price.
        let price = match self.orders[order_ref].request.kind {
            OrderKind::Limit { limit_ticks } if !self.orders[order_ref].is_new => limit_ticks,
            OrderKind::Limit { .. } | OrderKind::Market {} | OrderKind::Stop { .. } => {
                self.last_ticks
            }
        };
        let held = self.orders.get_mut(order_ref).unwrap();
        let request = held.request.clone();
        let quantity = i64::from(request.quantity) - held.filled;
        held.filled += quantity;
        held.state = BrokerOrderState::Filled;
        let before = self.position.abs();
        self.position += request.side.sign() * quantity;
        if !order_ref.ends_with('E') && self.position.abs() > before {
            self.opened_by_legs += 1;
        }
        self.worst_position = self.worst_position.max(self.position.abs());
        let fill = BrokerFill {
            exec_id: self.next_exec_id(),
            order_ref: order_ref.into(),
            order_id: self.orders[order_ref].order_id,
            perm_id: 900 + self.orders[order_ref].order_id,
            con_id: CON_ID,
            side: request.side,
            quantity,
            price_ticks: price,
            filled_at_ms: at_ms,
        };
        self.fills.push(fill.clone());
        let mut out = vec![Event::Fill { fill }, self.report(order_ref)];
        let siblings: Vec<String> = self
            .orders
            .values()
            .filter(|held| {
                held.request.oca_group.is_some()
                    && held.request.oca_group == request.oca_group
                    && held.state == BrokerOrderState::Working
            })
            .map(|held| held.request.order_ref.clone())
            .collect();
        for sibling in siblings {
            self.orders.get_mut(&sibling).unwrap().state = BrokerOrderState::Cancelled;
            out.push(self.report(&sibling));
        }
        out
    }

    fn next_exec_id(&mut self) -> String {
        self.executions += 1;
        format!("e{}.01", self.executions)
    }

    fn margin_answer(&self, quantity: u32) -> Event {
        match self.margin {
            Some((equity_cents, of_one_cents)) => Event::MarginReported {
                quantity,
                equity_cents,
                margin_cents: of_one_cents * i64::from(quantity),
                margin_after_cents: of_one_cents * i64::from(quantity),
            },
            None => Event::AskFailed {
                ask: Ask::Margin,
                detail: "refused with code 201: no".into(),
            },
        }
    }

    /// Fills `quantity` contracts of an order at `price_ticks`, whatever its terms; the rest goes on working, and the
    /// broker shrinks the other legs of its group.
    pub fn fill_part(
        &mut self,
        order_ref: &str,
        quantity: i64,
        price_ticks: i32,
        at_ms: i64,
    ) -> Vec<Event> {
        let held = self.orders.get_mut(order_ref).unwrap();
        let request = held.request.clone();
        held.filled += quantity;
        if held.filled >= i64::from(request.quantity) {
            held.state = BrokerOrderState::Filled;
        }
        let before = self.position.abs();
        self.position += request.side.sign() * quantity;
        if !order_ref.ends_with('E') && self.position.abs() > before {
            self.opened_by_legs += 1;
        }
        self.worst_position = self.worst_position.max(self.position.abs());
        let fill = BrokerFill {
            exec_id: self.next_exec_id(),
            order_ref: order_ref.into(),
            order_id: self.orders[order_ref].order_id,
            perm_id: 900 + self.orders[order_ref].order_id,
            con_id: CON_ID,
            side: request.side,
            quantity,
            price_ticks,
            filled_at_ms: at_ms,
        };
        self.fills.push(fill.clone());
        vec![Event::Fill { fill }, self.report(order_ref)]
    }

    /// Corrects the last execution of an order, as the broker does: the same id with a higher number at its end.
    pub fn correct_last(
        &mut self,
        order_ref: &str,
        revision: u32,
        quantity: i64,
        price_ticks: i32,
    ) -> Event {
        let fill = self
            .fills
            .iter_mut()
            .rev()
            .find(|fill| fill.order_ref == order_ref)
            .expect("an execution to correct");
        self.position += fill.side.sign() * (quantity - fill.quantity);
        let base = fill.exec_id.rsplit_once('.').expect("ids end in .NN").0;
        fill.exec_id = format!("{base}.{revision:02}");
        fill.quantity = quantity;
        fill.price_ticks = price_ticks;
        Event::Fill { fill: fill.clone() }
    }

    /// Returns the reference of the newest order of a leg: 'E', 'S', 'T' or 'X'.
    pub fn newest(&self, leg: char) -> String {
        let newest = self
            .placed
            .iter()
            .rev()
            .find(|request| request.order_ref.ends_with(leg));
        newest.expect("an order of this leg").order_ref.clone()
    }

    /// Returns the reference of the order that an exit was last made by: the target that it turned, or an order of its own.
    pub fn newest_exit(&self) -> String {
        let turned = self
            .modified
            .iter()
            .rev()
            .find(|request| request.order_ref.ends_with('T'));
        let own = self
            .placed
            .iter()
            .rev()
            .find(|request| request.order_ref.ends_with('X'));
        let exit = own.or(turned);
        exit.expect("an exit").order_ref.clone()
    }

    /// Lets no order fill by itself.
    pub fn hold(&mut self, hold: bool) {
        self.faults.hold_market = hold;
        self.faults.hold_legs = hold;
    }

    /// Returns the quantities of the working orders of a leg.
    pub fn working(&self, leg: char) -> Vec<u32> {
        self.orders
            .values()
            .filter(|held| {
                held.state == BrokerOrderState::Working && held.request.order_ref.ends_with(leg)
            })
            .map(|held| held.request.quantity)
            .collect()
    }

    pub fn state(&self, at_ms: i64) -> Event {
        let open = self
            .orders
            .iter()
            .filter(|(_, held)| held.state == BrokerOrderState::Working);
        let open_orders = open
            .map(|(key, _)| match self.report(key) {
                Event::OrderReported { order } => order,
                _ => unreachable!(),
            })
            .chain(self.doubles.iter().cloned())
            .collect();
        let mut positions = self.others.clone();
        if self.position != 0 {
            positions.push(BrokerPosition {
                con_id: CON_ID,
                local_symbol: "MESZ6".into(),
                position: self.position,
                average_ticks_e2: Some(i64::from(self.last_ticks) * 100),
            });
        }
        Event::Reconciled {
            open_orders,
            fills: self.fills.clone(),
            positions,
            broker_at_ms: Some((at_ms + self.skew_ms).div_euclid(SECOND_MS) * SECOND_MS),
        }
    }
}

/// An engine and its broker, with the shell between them as a queue.
pub struct Desk {
    pub engine: Engine,
    pub broker: Broker,
    pub at_ms: i64,
    pub seq: i64,
    pub epoch: u32,
    pub linked: bool,
    pub effects: Vec<Effect>,
    pub inputs: Vec<(i64, i64, Event)>,
    pub history: Vec<Bar>,
    pub wake_ms: i64,
    queue: VecDeque<Event>,
    late: VecDeque<Event>,
}

impl Desk {
    /// Returns a desk whose program has started; no link yet.
    pub fn new(settings: EngineSettings) -> Desk {
        let mut desk = Desk {
            engine: Engine::new(),
            broker: Broker {
                orders: BTreeMap::new(),
                fills: vec![],
                position: 0,
                last_ticks: 20_000,
                faults: Faults::default(),
                worst_position: 0,
                opened_by_legs: 0,
                placed: vec![],
                modified: vec![],
                cancelled_ids: vec![],
                doubles: vec![],
                others: vec![],
                skew_ms: 0,
                margin: Some((1_000_000, 240_000)),
                next_id: 100,
                executions: 0,
            },
            at_ms: START_MS,
            seq: 0,
            epoch: 0,
            linked: false,
            effects: vec![],
            inputs: vec![],
            history: vec![],
            wake_ms: i64::MAX,
            queue: VecDeque::new(),
            late: VecDeque::new(),
        };
        desk.tell(started(settings));
        desk
    }

    /// Returns a desk that is linked, reconciled and has a full window around 20 000 ticks.
    pub fn ready(settings: EngineSettings) -> Desk {
        let mut desk = Desk::new(settings);
        desk.link_up();
        desk.warm_up();
        desk
    }

    pub fn link_up(&mut self) {
        self.epoch += 1;
        self.linked = true;
        let detail = String::new();
        let account = Some("DU1".to_owned());
        self.tell(Event::LinkChanged {
            link: Link::Up,
            epoch: self.epoch,
            detail,
            account,
        });
    }

    pub fn link_down(&mut self) {
        self.linked = false;
        self.late.clear();
        let detail = "reset by peer".to_owned();
        self.tell(Event::LinkChanged {
            link: Link::Down,
            epoch: self.epoch,
            detail,
            account: None,
        });
    }

    pub fn warm_up(&mut self) {
        self.prices(&[20_000, 20_002, 20_000, 20_002, 20_000, 20_002, 20_000]);
    }

    /// Takes in one event and does what comes of it, until nothing does.
    pub fn tell(&mut self, event: Event) {
        self.queue.push_back(event);
        while let Some(event) = self.queue.pop_front() {
            self.seq += 1;
            let mut out = Vec::new();
            self.inputs.push((self.seq, self.at_ms, event.clone()));
            self.engine
                .apply_event(self.seq, self.at_ms, event, &mut out)
                .unwrap();
            for Caused { effect, .. } in out {
                self.perform(&effect);
                self.effects.push(effect);
            }
        }
    }

    /// Takes in what the broker tells.
    pub fn tell_all(&mut self, events: Vec<Event>) {
        for event in events {
            self.tell(event);
        }
    }

    fn perform(&mut self, effect: &Effect) {
        let at_ms = self.at_ms;
        let answers = match effect {
            Effect::Intent { .. } if !self.linked => vec![],
            Effect::Intent {
                order_ref, action, ..
            } => match action {
                OrderAction::Place { orders } => self.broker.place(orders, self.epoch, at_ms),
                OrderAction::Modify { order } => self.broker.modify(order, at_ms),
                OrderAction::Cancel { order_id: Some(id) } => {
                    self.broker.cancelled_ids.push(*id);
                    vec![]
                }
                OrderAction::Cancel { order_id: None } => self.broker.cancel(order_ref),
            },
            Effect::AskBroker(_) if !self.linked => vec![],
            Effect::AskBroker(question) => vec![match question {
                BrokerQuestion::Contract {} => Event::ContractResolved {
                    contract: contract(),
                },
                BrokerQuestion::State {} if self.broker.faults.hide_state => Event::AskFailed {
                    ask: Ask::State,
                    detail: "no answer within 5 s".into(),
                },
                BrokerQuestion::State {} => self.broker.state(at_ms),
                BrokerQuestion::Margin { quantity } => self.broker.margin_answer(*quantity),
                BrokerQuestion::History { bar_ms, .. } => Event::History {
                    bar_ms: Some(*bar_ms),
                    bars: self.history.clone(),
                },
                BrokerQuestion::MarketData {} => Event::FeedChanged {
                    ok: true,
                    detail: "asked".into(),
                },
            }],
            Effect::WakeAt { at_ms } => {
                self.wake_ms = *at_ms;
                vec![]
            }
            _ => vec![],
        };
        // One connection keeps its order: what is told now comes after what is still on its way.
        if self.broker.faults.slow || !self.late.is_empty() {
            self.late.extend(answers);
        } else {
            self.queue.extend(answers);
        }
    }

    /// Delivers what has been told slowly, at most `count` of it.
    pub fn deliver(&mut self, count: usize) {
        for _ in 0..count {
            let Some(event) = self.late.pop_front() else {
                return;
            };
            self.tell(event);
        }
    }

    /// Lets time pass, knocking where it was asked for.
    pub fn pass(&mut self, ms: i64) {
        let end_ms = self.at_ms + ms;
        let mut knocks = 0;
        while self.wake_ms <= end_ms {
            self.at_ms = self.at_ms.max(self.wake_ms);
            self.wake_ms = i64::MAX;
            self.tell(Event::Woke {});
            knocks += 1;
            assert!(knocks < 20_000, "the engine asks to be woken without end");
        }
        self.at_ms = end_ms;
    }

    /// A quote one tick around the price, a trade at it; the broker fills what that fills.
    pub fn price(&mut self, ticks: i32) {
        let at_ms = self.at_ms;
        self.tell(Event::Quote {
            exchange_at_ms: at_ms,
            bid_ticks: Some(ticks),
            ask_ticks: Some(ticks + 1),
            bid_size: 5,
            ask_size: 5,
        });
        self.tell(Event::Trade {
            exchange_at_ms: at_ms,
            price_ticks: ticks,
            size: 1,
        });
        self.broker.last_ticks = ticks;
        let filled = self.broker.matching(at_ms);
        if self.broker.faults.slow || !self.late.is_empty() {
            self.late.extend(filled);
            return;
        }
        for event in filled {
            self.tell(event);
        }
    }

    /// One price a second; each closes the bar before it.
    pub fn prices(&mut self, ticks: &[i32]) {
        for price in ticks {
            self.price(*price);
            self.pass(SECOND_MS);
        }
    }

    /// Drives z far below the band: the engine buys at about 19 900.
    pub fn sink(&mut self) {
        self.prices(&[19_900]);
        self.pass(300);
    }

    pub fn command(&mut self, command: Command) -> (bool, Vec<String>) {
        self.tell(Event::Command {
            by: "anna".into(),
            update_id: None,
            command,
        });
        let answer = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::CommandAnswered {
                accepted, lines, ..
            } => Some((*accepted, lines.clone())),
            _ => None,
        });
        answer.expect("every command is answered")
    }

    pub fn status(&self) -> Status {
        self.engine.status().unwrap()
    }

    pub fn posture(&self) -> Posture {
        self.status().posture
    }

    pub fn trips(&self) -> Vec<RoundTrip> {
        let trips = self.effects.iter().filter_map(|effect| match effect {
            Effect::RoundTrip { trade } => Some(trade.clone()),
            _ => None,
        });
        trips.collect()
    }

    pub fn notices(&self) -> Vec<&Notice> {
        let notices = self.effects.iter().filter_map(|effect| match effect {
            Effect::NoticeQueued { notice, .. } => Some(notice),
            _ => None,
        });
        notices.collect()
    }

    pub fn controls(&self) -> Vec<(String, bool)> {
        let controls = self.effects.iter().filter_map(|effect| match effect {
            Effect::Control {
                control, tripped, ..
            } => Some((control.clone(), *tripped)),
            _ => None,
        });
        controls.collect()
    }

    pub fn restated(&self) -> Vec<RoundTrip> {
        let trips = self.effects.iter().filter_map(|effect| match effect {
            Effect::RoundTripRestated { trade, .. } => Some(trade.clone()),
            _ => None,
        });
        trips.collect()
    }

    pub fn gate(&self, name: &str) -> scalper_core::status::Gate {
        let gates = self.status().gates;
        gates
            .into_iter()
            .find(|gate| gate.name == name)
            .unwrap_or_else(|| panic!("no gate {name}"))
    }

    pub fn entries(&self) -> usize {
        self.broker
            .placed
            .iter()
            .filter(|request| request.order_ref.ends_with('E'))
            .count()
    }

    pub fn blocked(&self) -> Option<String> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Decision { blocked_by, .. } => Some(blocked_by.clone()),
            _ => None,
        })?
    }

    /// Replays all inputs from the start and returns the effects and the hash.
    pub fn replay(&self) -> (Vec<Effect>, u64) {
        let mut engine = Engine::new();
        let mut out = Vec::new();
        for (seq, at_ms, event) in &self.inputs {
            engine
                .apply_event(*seq, *at_ms, event.clone(), &mut out)
                .unwrap();
        }
        (
            out.into_iter().map(|caused| caused.effect).collect(),
            engine.state_hash().unwrap(),
        )
    }
}

/// A market whose trades and quotes, a hundred a second, hold no signal: packed frames as the journal has them.
pub struct QuietMarket {
    at_ms: i64,
    seq: i64,
    state: u32,
}

impl QuietMarket {
    /// Returns the market that goes on where a desk stands.
    pub fn after(desk: &Desk) -> QuietMarket {
        QuietMarket {
            at_ms: desk.at_ms,
            seq: desk.seq,
            state: 7,
        }
    }

    /// Returns the next frames, two quotes to a trade.
    pub fn frames(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count * 52);
        for _ in 0..count {
            self.state = self
                .state
                .wrapping_mul(1_664_525)
                .wrapping_add(1_013_904_223);
            let price = 20_000 + ((self.state >> 16) % 3) as i32;
            self.seq += 1;
            self.at_ms += 10;
            let is_trade = self.seq % 3 == 0;
            let payload: &[i32] = if is_trade {
                &[price, 1]
            } else {
                &[price - 1, price, 20, 30]
            };
            let length = 20 + 8 + payload.len() as u32 * 4;
            bytes.extend(length.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend([1, if is_trade { 2 } else { 3 }, 0, 0]);
            bytes.extend(self.seq.to_le_bytes());
            bytes.extend(self.at_ms.to_le_bytes());
            bytes.extend(self.at_ms.to_le_bytes());
            bytes.extend(payload.iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes
    }
}
