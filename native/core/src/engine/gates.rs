//! The conditions on entries (reliability note, section D), in a fixed order, each with its figures. An entry needs all
//! of them open; exits ask none.

use super::core::Core;
use super::decide::closed;
use super::market::{FRESH_DATA_MIN, JUMP_BLOCK_MS, SPREAD_GOOD_MS};
use super::risk::cents;
use crate::event::Span;
use crate::orders::{Order, OrderState};
use crate::settings::{EngineSettings, RateLimit};
use crate::status::{Gate, Link, OrderKind, Posture, Side};
use crate::strategy::{stop_distance_ticks, target_distance_ticks};

/// A stop or target nearer than this is a mistake (D5).
const BRACKET_TICKS_MIN: i64 = 4;
/// An entry with its stop and target.
const ENTRY_ORDERS: usize = 3;
/// No entry so long before a reset window of the broker (D22).
pub(crate) const RESET_LEAD_MS: i64 = 30 * 60_000;
/// Ticks that a stop may slip in the loss budget (D16).
const BUDGET_SLIP_TICKS: i64 = 4;
/// So many losses of the link within ten minutes block entries (E).
const FLAPS_MAX: usize = 5;

impl Core {
    /// Returns the first gate that stops an entry this way.
    pub fn first_closed_gate(&self, side: Side) -> Option<Gate> {
        closed(self.gates(Some(side)))
    }

    /// Returns all gates in the order in which they are asked; without a side for an entry in either direction.
    pub fn gates(&self, side: Option<Side>) -> Vec<Gate> {
        let mut gates = vec![
            self.posture_gate(),
            self.link_gate(),
            self.reconciled_gate(),
            self.contract_gate(),
            self.clock_gate(),
        ];
        gates.extend(self.hours_gates());
        gates.extend(self.data_gates());
        gates.extend(self.order_gates(side));
        gates.extend(self.money_gates());
        gates.push(self.margin_gate());
        gates.push(self.rate_gate());
        gates.push(self.foreign_gate());
        for (name, shell) in &self.shell_gates {
            gates.push(gate(name, !shell.blocks, shell.detail.clone()));
        }
        gates
    }

    fn posture_gate(&self) -> Gate {
        let word = match self.posture.now {
            Posture::Trading => "TRADING",
            Posture::Paused => "PAUSED",
            Posture::Halted => "HALTED",
            Posture::Flattening => "FLATTENING",
        };
        let reason = &self.posture.reason;
        let detail = if reason.is_empty() {
            word.to_owned()
        } else {
            format!("{word}: {reason}")
        };
        gate("posture", self.may_enter(), detail)
    }

    fn link_gate(&self) -> Gate {
        let word = match self.link.state {
            Link::Down => "down",
            Link::Connecting => "connecting",
            Link::Syncing => "handshake done",
            Link::Up => "up",
            Link::Degraded => "the gateway has lost the broker",
        };
        let flaps = self.link.losses.len();
        if self.is_link_up() && flaps > FLAPS_MAX {
            return gate(
                "link",
                false,
                format!("{flaps} losses within 10 min; entries wait 15 min"),
            );
        }
        let detail = if self.is_link_up() {
            word.to_owned()
        } else {
            format!("{word} {}", self.link.detail)
        };
        gate("link", self.is_link_up(), detail.trim_end().to_owned())
    }

    fn reconciled_gate(&self) -> Gate {
        if let Some(mismatch) = &self.mismatch {
            let detail = format!(
                "broker says {}, our fills say {}",
                mismatch.brokers.position, mismatch.ours
            );
            return gate("reconciled", false, detail);
        }
        if let Some(question) = self.questions.values().next() {
            return gate("reconciled", false, question.clone());
        }
        let open = self.link.reconciled && !self.link.is_suspect;
        gate(
            "reconciled",
            open,
            if open {
                "yes"
            } else {
                "the broker is being asked"
            }
            .to_owned(),
        )
    }

    fn contract_gate(&self) -> Gate {
        match &self.link.contract {
            Some(contract) => gate("contract", true, contract.local_symbol.clone()),
            None => gate("contract", false, "not known yet".to_owned()),
        }
    }

    /// Returns the contract's hours.
    pub fn spans(&self) -> &[Span] {
        self.link
            .contract
            .as_ref()
            .map_or(&[], |contract| &contract.hours)
    }

    /// Is the market open; none where its hours are not known.
    pub fn market_open(&self) -> Option<bool> {
        let spans = self.spans();
        if spans.is_empty() {
            return None;
        }
        Some(
            spans
                .iter()
                .any(|span| (span.from_ms..span.to_ms).contains(&self.at_ms)),
        )
    }

    fn hours_gates(&self) -> Vec<Gate> {
        let at_ms = self.at_ms;
        let now = self.hours.clock(at_ms);
        let open = self.market_open();
        let market = match open {
            Some(true) => "open",
            Some(false) => "closed",
            None => "hours not known",
        };
        let flat = self.hours.in_flat_window(at_ms, self.spans());
        let lead_ms = self.settings.session.no_entry_before_flatten_ms;
        let soon_flat =
            !flat && lead_ms > 0 && self.hours.in_flat_window(at_ms + lead_ms, self.spans());
        let days_left = self
            .link
            .contract
            .as_ref()
            .and_then(|contract| self.hours.days_until(&contract.last_trade_date, at_ms));
        let rolls = match (days_left, self.settings.roll_days_before) {
            (Some(left), Some(before)) => left <= i64::from(before),
            _ => false,
        };
        let roll = days_left.map_or("no expiry known".to_owned(), |left| {
            format!("{left} days to the last trade date")
        });
        vec![
            gate("market_open", open != Some(false), market.to_owned()),
            gate(
                "session_window",
                self.hours.in_entry_window(at_ms),
                now.clone(),
            ),
            gate(
                "last_entry",
                !soon_flat,
                format!(
                    "{now}, none within {} min of the flat window",
                    lead_ms / 60_000
                ),
            ),
            gate("flat_window", !flat, now.clone()),
            gate(
                "reset_window",
                !self.hours.near_reset(at_ms, RESET_LEAD_MS),
                now,
            ),
            gate("roll", !rolls, roll),
        ]
    }

    fn data_gates(&self) -> Vec<Gate> {
        let market = &self.market;
        let risk = &self.settings.risk;
        let (filled, size) = (self.strategy.last().filled, self.strategy.window_size());
        let age_ms = self.at_ms - market.data_at_ms();
        let has_data = market.data_at_ms() > 0;
        let fresh =
            has_data && age_ms <= risk.stale_entry_ms && market.fresh_in_a_row >= FRESH_DATA_MIN;
        let is_young = age_ms <= risk.stale_entry_ms;
        let age = if has_data && is_young && market.fresh_in_a_row < FRESH_DATA_MIN {
            format!("{} of {FRESH_DATA_MIN} fresh quotes", market.fresh_in_a_row)
        } else if has_data {
            format!(
                "{age_ms} ms {} {} ms",
                relation(age_ms <= risk.stale_entry_ms),
                risk.stale_entry_ms
            )
        } else {
            "no data yet".to_owned()
        };
        let since_bad_ms = self.at_ms - market.spread_bad_at_ms;
        let (spread_open, spread) = match (market.bid_ticks, market.ask_ticks) {
            (Some(bid), Some(ask)) => {
                let spread = i64::from(ask) - i64::from(bid);
                let good = spread <= risk.max_spread_ticks;
                let long_good = market.spread_bad_at_ms == 0 || since_bad_ms >= SPREAD_GOOD_MS;
                (
                    good && long_good,
                    format!("{spread} t {} {} t", relation(good), risk.max_spread_ticks),
                )
            }
            _ if market.quote_at_ms == 0 && market.spread_bad_at_ms == 0 => {
                (true, "no quotes in this feed".to_owned())
            }
            _ => (false, "one side of the book is empty".to_owned()),
        };
        let jumped = market.jump_at_ms > 0 && self.at_ms - market.jump_at_ms < JUMP_BLOCK_MS;
        let jump = if jumped {
            "the price jumped less than 30 s ago"
        } else {
            "no jump"
        };
        vec![
            gate(
                "warm_up",
                filled >= size && !self.link.history_is_out(),
                format!("{filled}/{size} bars"),
            ),
            gate(
                "feed",
                self.link.feed_ok,
                if self.link.feed_ok {
                    "ok".into()
                } else {
                    self.link.feed_detail.clone()
                },
            ),
            gate("data_age", fresh, age),
            gate("spread", spread_open, spread),
            gate("bad_tick", !jumped, jump.to_owned()),
        ]
    }

    fn order_gates(&self, side: Option<Side>) -> Vec<Gate> {
        let quantity = i64::from(self.settings.strategy.quantity);
        let limit = i64::from(self.settings.risk.max_position);
        let doubts = self
            .orders
            .iter()
            .filter(|order| order.state == OrderState::InDoubt)
            .count();
        let live = self.orders.live().count();
        let signed = self.position.signed();
        let quiet = self.entry.is_none() && self.exit.is_none() && live == 0;
        // While something is held or under way no entry is possible: what there is is judged, not what would be added.
        let adds = if quiet && signed == 0 { quantity } else { 0 };
        let worst = self.orders.worst_case(signed) + adds + self.foreign_quantity();
        let may_exist = live + if quiet { ENTRY_ORDERS } else { 0 };
        let allowed = usize::try_from(self.settings.risk.max_open_orders).unwrap_or(usize::MAX);
        let duplicate = side.is_some_and(|side| {
            self.risk
                .is_duplicate(self.at_ms, side, self.settings.strategy.quantity)
        });
        vec![
            gate("in_doubt", doubts == 0, format!("{doubts} orders in doubt")),
            gate(
                "fat_finger",
                (1..=limit).contains(&quantity),
                format!("{quantity} contracts an entry, 1 to {limit} allowed"),
            ),
            self.price_gate(side),
            self.collar_gate(side),
            gate("position", signed == 0, format!("{signed}")),
            gate(
                "duplicate",
                !duplicate,
                "the same entry not within 2 s".to_owned(),
            ),
            self.self_cross_gate(side),
            gate(
                "open_order",
                quiet && may_exist <= allowed,
                format!("{live} own orders may exist, limit {allowed}"),
            ),
            gate(
                "max_position",
                worst <= limit,
                format!("{worst} {} {limit} contracts", relation(worst <= limit)),
            ),
            self.notional_gate(worst),
        ]
    }

    /// D3, at the last price.
    fn notional_gate(&self, worst: i64) -> Gate {
        let limit = self
            .settings
            .risk
            .max_notional_cents
            .or(self.risk.auto_notional_cents);
        let (Some(limit), Some(price_ticks)) = (limit, self.market.last_ticks) else {
            return gate("max_notional", false, "no price yet".to_owned());
        };
        let notional = worst * i64::from(price_ticks) * self.tick_value_cents();
        let open = notional <= limit;
        gate(
            "max_notional",
            open,
            format!("{} {} {}", cents(notional), relation(open), cents(limit)),
        )
    }

    /// D5: a bracket that stands where it can protect. What the settings were checked for, checked again.
    fn price_gate(&self, side: Option<Side>) -> Gate {
        let value = self.tick_value_cents();
        let risk = &self.settings.risk;
        let nearest = risk
            .stop_cents
            .map(|stop| stop_distance_ticks(stop, value))
            .into_iter()
            .chain(
                risk.target_cents
                    .map(|target| target_distance_ticks(target, value)),
            )
            .min();
        let is_far_enough = nearest.is_none_or(|nearest| nearest >= BRACKET_TICKS_MIN);
        let reference = self.market.last_ticks.unwrap_or(0);
        let sides = side.map_or(vec![Side::Buy, Side::Sell], |side| vec![side]);
        let is_possible = reference <= 0
            || sides.into_iter().all(|side| {
                let (stop, target) = self.protection(side, self.entry_reference(side, reference));
                stop.is_some() == risk.stop_cents.is_some()
                    && target.is_some() == risk.target_cents.is_some()
            });
        let detail = if is_possible {
            format!("stop and target stand {BRACKET_TICKS_MIN} t away at least")
        } else {
            format!("at {reference} t a stop or target would have no price")
        };
        gate("price", is_far_enough && is_possible, detail)
    }

    /// D4: what the signal saw and what an entry would pay are near the middle of the book, and the stop beyond it.
    fn collar_gate(&self, side: Option<Side>) -> Gate {
        let (Some(bid), Some(ask)) = (self.market.bid_ticks, self.market.ask_ticks) else {
            return gate("collar", true, "no quotes to compare with".to_owned());
        };
        let Some(last) = self.market.last_ticks else {
            return gate("collar", true, "no trade yet".to_owned());
        };
        let middle = i64::from(bid) + i64::from(ask);
        let limit = self.settings.risk.entry_collar_ticks;
        let half_ticks_off = |ticks: i32| (2 * i64::from(ticks) - middle).abs();
        let sides = side.map_or(vec![Side::Buy, Side::Sell], |side| vec![side]);
        let off = sides
            .iter()
            .map(|side| half_ticks_off(self.entry_reference(*side, last)))
            .chain([half_ticks_off(last)])
            .max()
            .unwrap_or(0);
        let is_beyond = sides.iter().all(|side| {
            let (stop, _) = self.protection(*side, self.entry_reference(*side, last));
            match (side, stop) {
                (_, None) => true,
                (Side::Buy, Some(stop)) => stop < bid,
                (Side::Sell, Some(stop)) => stop > ask,
            }
        });
        let open = off <= 2 * limit && is_beyond;
        let detail = if is_beyond {
            format!(
                "{}.{} t from the middle {} {limit} t",
                off / 2,
                if off % 2 == 0 { 0 } else { 5 },
                relation(off <= 2 * limit)
            )
        } else {
            "the stop would stand on the wrong side of the book".to_owned()
        };
        gate("collar", open, detail)
    }

    /// D10: no order of ours on the other side that an entry could trade with.
    fn self_cross_gate(&self, side: Option<Side>) -> Gate {
        let crossing = self.orders.live().find(|order| {
            let entering = order.terms.side.opposite();
            side.is_none_or(|side| side == entering) && self.would_cross(entering, order)
        });
        match crossing {
            Some(order) => gate(
                "self_cross",
                false,
                format!("{} stands on the other side", order.terms.order_ref),
            ),
            None => gate(
                "self_cross",
                true,
                "nothing of ours to trade with".to_owned(),
            ),
        }
    }

    /// Could an entry at the market, up to its collar, meet this order of the other side? A stop counts where it would be
    /// triggered within it.
    fn would_cross(&self, entering: Side, order: &Order) -> bool {
        let Some(last) = self.market.last_ticks else {
            return true;
        };
        let away = self.settings.risk.entry_collar_ticks;
        let reference = i64::from(self.entry_reference(entering, last));
        let within = |ticks: i32, sign: i64| sign * (i64::from(ticks) - reference) <= away;
        match order.terms.kind {
            OrderKind::Market {} => true,
            OrderKind::Limit { limit_ticks } => within(limit_ticks, entering.sign()),
            OrderKind::Stop { stop_ticks } => within(stop_ticks, -entering.sign()),
        }
    }

    fn foreign_quantity(&self) -> i64 {
        if self.settings.allow_foreign {
            self.risk.foreign_contracts
        } else {
            0
        }
    }

    fn money_gates(&self) -> Vec<Gate> {
        let risk = &self.settings.risk;
        let left = risk.daily_loss_cents + self.strategy.day_result_cents(self.open_cents());
        let at_risk = stop_out_cents(&self.settings);
        let paused = self.strategy.is_paused(self.at_ms);
        let streak = if paused {
            // The count began anew with the pause.
            format!("paused after {} losses in a row", risk.loss_streak)
        } else {
            format!(
                "{}/{} losses in a row",
                self.strategy.streak(),
                risk.loss_streak
            )
        };
        vec![
            gate("streak", !paused, streak),
            gate(
                "daily_limit",
                !self.strategy.is_day_halted() && left > 0,
                format!("{} left", cents(left)),
            ),
            gate(
                "loss_budget",
                !risk.loss_budget_check || left >= at_risk,
                format!("{} left, a stop-out costs {}", cents(left), cents(at_risk)),
            ),
        ]
    }

    fn rate_gate(&self) -> Gate {
        let over = |limit: Option<RateLimit>, rate: &super::risk::Rate, more: u32| {
            limit.and_then(|limit| rate.over(self.at_ms, more, 1, &limit))
        };
        let risk = &self.settings.risk;
        let blocked = over(risk.entries_max, &self.risk.entries, 1)
            .or_else(|| over(risk.orders_max, &self.risk.orders, 3));
        match blocked {
            Some(detail) => gate("order_rate", false, detail),
            None => {
                let entries = self.risk.entries.in_minute(self.at_ms);
                gate(
                    "order_rate",
                    true,
                    format!("{entries} entries in this minute"),
                )
            }
        }
    }

    fn foreign_gate(&self) -> Gate {
        let count = self.risk.foreign_orders;
        gate(
            "foreign_orders",
            count == 0 || self.settings.allow_foreign,
            format!("{count} orders that are not ours"),
        )
    }
}

/// Says truly how a figure stands to its limit.
fn relation(is_within: bool) -> &'static str {
    if is_within { "≤" } else { ">" }
}

/// Returns what an entry loses that is stopped out, the stop slipping as far as is reckoned with, fees included (D16).
pub(crate) fn stop_out_cents(settings: &EngineSettings) -> i64 {
    let value = settings.instrument.tick_value_cents;
    let stop_ticks = settings
        .risk
        .stop_cents
        .map_or(0, |cents| stop_distance_ticks(cents, value));
    i64::from(settings.strategy.quantity)
        * ((stop_ticks + BUDGET_SLIP_TICKS) * value + 2 * settings.costs.fee_cents)
}

fn gate(name: &str, open: bool, detail: String) -> Gate {
    Gate {
        name: name.to_owned(),
        open,
        detail,
    }
}
