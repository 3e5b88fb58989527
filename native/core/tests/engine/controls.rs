//! Controls that act by themselves, each at its limit, one below and one above (reliability note, section D). Those that
//! only keep entries out stand in `gates`.

use crate::support::*;
use scalper_core::event::{Command, Event, Span};
use scalper_core::settings::*;
use scalper_core::status::{ExitReason, OrderKind, Posture, Side, Tif};

const MINUTE_MS: i64 = 60_000;

fn quote(desk: &mut Desk, bid: i32, ask: i32) {
    desk.tell(Event::Quote {
        exchange_at_ms: desk.at_ms,
        bid_ticks: Some(bid),
        ask_ticks: Some(ask),
        bid_size: 5,
        ask_size: 5,
    });
}

fn tripped(desk: &Desk, control: &str) -> bool {
    desk.controls().contains(&(control.to_owned(), true))
}

/// An order at the broker with our prefix that the journal does not know: it is taken back, which the broker ignores.
fn orphan(desk: &mut Desk, number: usize, side: Side, kind: OrderKind) {
    let order_ref = format!("QS1-t3st-261124-{number:03}-T");
    let request = scalper_core::effect::OrderRequest {
        order_ref: order_ref.clone(),
        side,
        quantity: 1,
        kind,
        tif: Tif::Gtc,
        parent_ref: None,
        oca_group: None,
        outside_rth: true,
    };
    let held = Held {
        request,
        order_id: 5_000 + i64::try_from(number).unwrap(),
        state: scalper_core::event::BrokerOrderState::Working,
        filled: 0,
        is_new: false,
    };
    desk.broker.orders.insert(order_ref, held);
}

#[test]
fn d2_an_entry_of_a_size_that_is_not_allowed_is_not_sent_and_halts() {
    for (quantity, entries) in [(0, 0), (1, 1), (2, 0)] {
        let mut desk = Desk::ready(with(|settings| settings.strategy.quantity = quantity));

        desk.sink();

        assert_eq!(desk.entries(), entries, "{quantity}");
        assert_eq!(tripped(&desk, "fat_finger"), entries == 0, "{quantity}");
        assert_eq!(desk.posture() == Posture::Halted, entries == 0);
    }
}

#[test]
fn d3_without_a_figure_the_notional_limit_follows_the_runs_first_price() {
    for (price, open) in [(33_999, true), (34_000, true), (34_001, false)] {
        let mut desk = Desk::ready(with(|settings| {
            settings.risk.max_notional_cents = None;
            settings.risk.bad_tick_ticks = 100_000;
        }));

        desk.price(price);

        assert_eq!(desk.gate("max_notional").open, open, "{price}");
    }
}

#[test]
fn d3_a_new_run_fixes_its_limit_anew() {
    let auto = with(|settings| {
        settings.risk.max_notional_cents = None;
        settings.risk.bad_tick_ticks = 100_000;
    });
    let mut desk = Desk::ready(auto.clone());
    desk.price(34_001);
    assert!(!desk.gate("max_notional").open);

    desk.tell(started(auto));
    desk.price(34_001);

    assert!(desk.gate("max_notional").open);
}

#[test]
fn the_limits_of_a_position_that_is_held_are_told_as_they_stand() {
    let mut desk = Desk::ready(settings());
    desk.sink();

    for (name, detail) in [
        ("max_position", "1 ≤ 1 contracts"),
        ("max_notional", "$24,875.00 ≤ $60,000.00"),
    ] {
        let gate = desk.gate(name);
        assert_eq!((gate.open, gate.detail.as_str()), (true, detail));
    }
}

#[test]
fn d4_an_entry_far_from_the_middle_of_the_book_is_not_sent() {
    for (bid, open) in [(20_006, true), (20_007, true), (20_008, false)] {
        let mut desk = Desk::ready(settings());

        quote(&mut desk, bid, bid + 2);

        assert_eq!(desk.gate("collar").open, open, "{bid}");
    }
}

#[test]
fn d4_a_stop_that_the_book_has_passed_is_no_protection() {
    for (spread, open) in [(3, true), (4, false), (5, false)] {
        let mut desk = Desk::ready(with(|settings| settings.risk.stop_cents = Some(4 * 125)));

        quote(&mut desk, 20_000, 20_000 + spread);

        assert_eq!(desk.gate("collar").open, open, "{spread}");
    }
}

#[test]
fn d5_a_bracket_nearer_than_four_ticks_is_not_sent_and_halts() {
    for (ticks, entries) in [(3, 0), (4, 1), (5, 1)] {
        for is_stop in [true, false] {
            let mut desk = Desk::ready(with(|settings| {
                let cents = Some(ticks * 125);
                if is_stop {
                    settings.risk.stop_cents = cents;
                } else {
                    settings.risk.target_cents = cents;
                }
            }));

            desk.sink();

            assert_eq!(desk.entries(), entries, "{ticks} stop {is_stop}");
            assert_eq!(tripped(&desk, "bad_price"), entries == 0);
            assert_eq!(desk.posture() == Posture::Halted, entries == 0);
        }
    }
}

#[test]
fn d5_a_stop_that_would_have_no_price_is_no_bracket() {
    for (price, open) in [(160, false), (161, true), (162, true)] {
        let mut desk = Desk::ready(with(|settings| {
            settings.risk.bad_tick_ticks = 100_000;
            settings.risk.target_cents = None;
        }));

        // Long from the ask: a stop of 160 ticks below it.
        quote(&mut desk, price - 1, price);
        desk.tell(Event::Trade {
            exchange_at_ms: desk.at_ms,
            price_ticks: price,
            size: 1,
        });

        assert_eq!(desk.gate("price").open, open, "{price}");
    }
}

#[test]
fn d10_an_order_of_ours_that_an_entry_could_trade_with_keeps_it_out() {
    // Last 20 000, ask 20 001, collar 8.
    let limit = |limit_ticks| OrderKind::Limit { limit_ticks };
    let stop = |stop_ticks| OrderKind::Stop { stop_ticks };
    for (side, kind, open) in [
        (Side::Sell, limit(20_008), false),
        (Side::Sell, limit(20_009), false),
        (Side::Sell, limit(20_010), true),
        (Side::Buy, limit(19_993), false),
        (Side::Buy, limit(19_992), false),
        (Side::Buy, limit(19_991), true),
        (Side::Sell, stop(19_994), false),
        (Side::Sell, stop(19_993), false),
        (Side::Sell, stop(19_992), true),
        (Side::Sell, OrderKind::Market {}, false),
    ] {
        let mut desk = Desk::ready(settings());
        desk.broker.faults.swallow_cancels = true;
        desk.broker.faults.hold_market = true;
        orphan(&mut desk, 1, side, kind);
        desk.pass(61_000);

        desk.tell(Event::Trade {
            exchange_at_ms: desk.at_ms,
            price_ticks: 20_000,
            size: 1,
        });
        quote(&mut desk, 20_000, 20_001);

        assert!(!desk.gate("open_order").open);
        assert_eq!(desk.gate("self_cross").open, open, "{side:?} {kind:?}");
    }
}

#[test]
fn d11_twice_the_orders_that_may_exist_halt() {
    for (count, halts) in [(11, false), (12, true), (13, true)] {
        let mut desk = Desk::ready(settings());
        desk.broker.faults.swallow_cancels = true;
        for number in 0..count {
            let kind = OrderKind::Limit {
                limit_ticks: 30_000,
            };
            orphan(&mut desk, number, Side::Sell, kind);
        }

        desk.pass(61_000);

        assert_eq!(tripped(&desk, "max_open_orders"), halts, "{count}");
    }
}

#[test]
fn d12_twice_the_rate_of_orders_halts() {
    // An entry with its legs, and one change of each leg: 5 orders; each edit from outside is put back with another.
    for (edits, halts) in [(1, false), (2, true)] {
        let rate = RateLimit {
            minute: 3,
            hour: 400,
            day: 400,
        };
        let mut desk = Desk::ready(with(|settings| settings.risk.orders_max = Some(rate)));
        desk.sink();
        let stop = desk.broker.newest('S');

        for _ in 0..edits {
            let kind = desk.broker.orders[&stop].request.kind;
            desk.broker.orders.get_mut(&stop).unwrap().request.kind =
                OrderKind::Stop { stop_ticks: 19_000 };
            let told = desk.broker.report(&stop);
            desk.tell(told);
            assert_eq!(desk.broker.orders[&stop].request.kind, kind, "put back");
        }

        assert_eq!(tripped(&desk, "order_rate"), halts, "{edits} edits");
    }
}

#[test]
fn d12_an_hour_and_a_trading_day_have_their_own_limits() {
    for (minute, hour, day, open_after_ms) in
        [(400, 1, 400, 60 * MINUTE_MS), (400, 400, 1, i64::MAX)]
    {
        let rate = RateLimit { minute, hour, day };
        let mut desk = Desk::ready(with(|settings| settings.risk.entries_max = Some(rate)));
        desk.sink();
        assert!(!desk.gate("order_rate").open);

        let is_hour = open_after_ms < i64::MAX;
        desk.pass(if is_hour {
            open_after_ms - 301
        } else {
            2 * 60 * MINUTE_MS
        });
        desk.tell(Event::Woke {});
        assert!(!desk.gate("order_rate").open);

        desk.pass(if is_hour { 1_301 } else { 8 * 60 * MINUTE_MS });
        desk.price(20_000);
        assert!(desk.gate("order_rate").open);
    }
}

#[test]
fn d14_the_tenth_round_trip_within_five_minutes_halts() {
    let mut desk = Desk::ready(with(|settings| settings.risk.loss_streak = 100));
    for count in 1..=10 {
        desk.warm_up();
        desk.sink();
        desk.prices(&[19_990, 19_996]);
        desk.pass(2_000);

        assert_eq!(desk.trips().len(), count);
        assert_eq!(tripped(&desk, "runaway"), count == 10, "{count}");
    }
}

#[test]
fn d14_three_entries_that_never_become_a_trade_halt() {
    let mut desk = Desk::ready(settings());
    desk.broker.faults.hold_market = true;
    for count in 1..=3 {
        desk.warm_up();
        desk.sink();
        let entry = desk.broker.newest('E');
        let answers = desk.broker.cancel(&entry);
        desk.tell_all(answers);
        for leg in ['S', 'T'] {
            let order_ref = desk.broker.newest(leg);
            desk.broker.orders.get_mut(&order_ref).unwrap().state =
                scalper_core::event::BrokerOrderState::Cancelled;
        }
        desk.pass(20_000);

        assert_eq!(desk.entries(), count);
        assert_eq!(tripped(&desk, "runaway"), count == 3, "{count}");
    }
}

fn trailing(desk_peak: i32, desk_fall: i32) -> Desk {
    let mut desk = Desk::ready(with(|settings| {
        settings.risk.trailing_drawdown_cents = Some(10_000);
        settings.risk.target_cents = None;
    }));
    desk.sink();
    quote(&mut desk, 19_900 + desk_peak, 19_901 + desk_peak);
    quote(&mut desk, 19_900 + desk_fall, 19_901 + desk_fall);
    desk
}

#[test]
fn d17_a_fall_from_the_days_peak_flattens_at_its_limit_once_the_gain_was_large_enough() {
    // Long 1 at 19 900, a fee of 57 cents, 125 cents a tick: armed at 30 000 cents, a fall of 10 000 is 80 ticks.
    for (peak, fall, trips) in [
        (241, 162, false),
        (241, 161, true),
        (241, 160, true),
        (240, 150, false),
    ] {
        let desk = trailing(peak, fall);

        assert_eq!(tripped(&desk, "trail_dd"), trips, "{peak} to {fall}");
    }
}

#[test]
fn d17_pauses_to_the_sessions_end_and_not_longer() {
    let mut desk = trailing(241, 161);
    desk.price(20_061);
    desk.pass(3_000);
    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Paused));
    assert_eq!(desk.trips()[0].reason, ExitReason::Flatten);

    desk.pass(8 * 60 * MINUTE_MS);
    desk.price(20_000);

    assert_eq!(desk.posture(), Posture::Trading);
}

#[test]
fn d19_a_price_beyond_the_stop_for_a_second_closes_what_the_stop_did_not() {
    for (beyond, held_ms, breached) in [
        (3, 5_000, false),
        (4, 999, false),
        (4, 1_000, true),
        (5, 1_000, true),
    ] {
        let mut desk = Desk::ready(settings());
        desk.sink();
        quote(&mut desk, 19_740 - beyond, 19_741 - beyond);
        desk.pass(held_ms);

        quote(&mut desk, 19_740 - beyond, 19_741 - beyond);

        assert_eq!(
            tripped(&desk, "stop_breach"),
            breached,
            "{beyond} t for {held_ms} ms"
        );
    }
}

#[test]
fn d19_a_price_that_comes_back_begins_the_second_anew() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    for _ in 0..3 {
        quote(&mut desk, 19_735, 19_736);
        desk.pass(900);
        quote(&mut desk, 19_745, 19_746);
    }

    assert!(!tripped(&desk, "stop_breach"));
}

#[test]
fn d20_the_hold_limit_acts_by_the_clock_where_no_bar_closes() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    let entry_at_ms = desk.status().position.unwrap().entry_at_ms;
    // A bar and five seconds of grace; the clock is looked at each minute.
    let due_ms = entry_at_ms + 2 * 60 * MINUTE_MS + SECOND_MS + 5_000;

    desk.pass(due_ms - 1 - desk.at_ms);
    desk.tell(Event::Woke {});
    assert_eq!(desk.broker.position, 1);
    desk.pass(MINUTE_MS + 1_000);

    assert_eq!(desk.broker.position, 0);
    assert_eq!(desk.trips()[0].reason, ExitReason::Time);
}

#[test]
fn d22_a_position_is_left_a_quarter_of_an_hour_before_the_broker_resets() {
    // 13:00 New York on Wednesdays is 12:00 in Chicago: two hours after the start.
    let nightly = with(|settings| {
        let from_week_minute = 2 * 1_440 + 13 * 60;
        settings.session.reset_windows = vec![ResetSpan {
            from_week_minute,
            to_week_minute: from_week_minute + 60,
        }];
        settings.risk.max_hold_ms = 10 * 60 * MINUTE_MS;
    });
    let mut desk = Desk::ready(nightly);
    desk.sink();
    let due_ms = START_MS + 105 * MINUTE_MS;

    desk.pass(due_ms - 1 - desk.at_ms);
    desk.tell(Event::Woke {});
    assert_eq!(desk.broker.position, 1);
    desk.pass(1_001);

    assert_eq!(desk.broker.position, 0);
    assert!(tripped(&desk, "reset_window"));
}

#[test]
fn d23_a_position_is_left_so_many_days_before_the_last_trade_date() {
    // 2026-11-25 to 2026-12-18 are 23 days.
    for (days, held) in [(22, 1), (23, 0), (24, 0)] {
        let mut desk = Desk::ready(with(|settings| settings.flat_days_before = Some(days)));
        desk.sink();

        desk.pass(61_000);

        assert_eq!(desk.broker.position, held, "{days}");
    }
}

#[test]
fn d28_a_gap_in_the_data_is_filled_from_history_before_anything_is_decided() {
    let mut desk = Desk::ready(settings());
    let asked = |desk: &Desk| {
        let asks = desk.effects.iter().filter(|effect| {
            matches!(
                effect,
                scalper_core::effect::Effect::AskBroker(
                    scalper_core::effect::BrokerQuestion::History { .. }
                )
            )
        });
        asks.count()
    };
    let before = asked(&desk);

    desk.pass(8_000);
    desk.price(20_000);
    assert_eq!(asked(&desk), before, "no alarm yet, no gap to speak of");
    desk.pass(12_000);
    desk.price(20_000);

    assert_eq!(asked(&desk), before + 1);
}

#[test]
fn the_market_that_closes_early_is_left_before_it_does() {
    let mut desk = Desk::ready(settings());
    desk.sink();
    let mut early = contract();
    early.hours = vec![Span {
        from_ms: START_MS - 3_600_000,
        to_ms: START_MS + 60 * MINUTE_MS,
    }];
    desk.tell(Event::ContractResolved { contract: early });

    desk.pass(START_MS + 55 * MINUTE_MS - 1 - desk.at_ms);
    assert_eq!(desk.broker.position, 1);
    desk.pass(1_001);

    assert_eq!(desk.broker.position, 0);
    assert_eq!(desk.trips()[0].reason, ExitReason::SessionClose);
}

#[test]
fn d3_the_limit_that_follows_the_first_price_counts_the_contracts_that_are_allowed() {
    // 1.7 × 20 000 ticks × $1.25 × 3 contracts.
    let desk = Desk::ready(with(|settings| {
        settings.risk.max_notional_cents = None;
        settings.risk.max_position = 3;
    }));

    let detail = desk.gate("max_notional").detail;
    assert!(detail.ends_with("$127,500.00"), "{detail}");
}

#[test]
fn d14_the_third_refusal_within_a_minute_halts_whatever_was_refused() {
    for (count, halts) in [(2, false), (3, true)] {
        let mut desk = Desk::ready(settings());
        desk.sink();
        desk.broker.hold(true);
        desk.broker.faults.refuse_exits = true;
        desk.pass(2_001);
        desk.command(Command::Flatten {});
        desk.pass(5_000 * (count - 1));

        let refused = desk
            .broker
            .placed
            .iter()
            .filter(|request| request.order_ref.ends_with('X'));
        assert_eq!(refused.count() as i64, count);
        assert_eq!(tripped(&desk, "runaway"), halts, "{count}");
    }
}

#[test]
fn d14_a_third_entry_that_becomes_a_position_is_no_runaway() {
    let mut desk = Desk::ready(settings());
    for count in 1..=3 {
        desk.broker.faults.hold_market = count < 3;
        desk.warm_up();
        desk.sink();
        if count < 3 {
            let entry = desk.broker.newest('E');
            let answers = desk.broker.cancel(&entry);
            desk.tell_all(answers);
            for leg in ['S', 'T'] {
                let order_ref = desk.broker.newest(leg);
                desk.broker.orders.get_mut(&order_ref).unwrap().state =
                    scalper_core::event::BrokerOrderState::Cancelled;
            }
            desk.pass(20_000);
        }
    }

    assert_eq!((desk.entries(), desk.broker.position), (3, 1));
    assert!(!tripped(&desk, "runaway"));
}

#[test]
fn d15_closes_a_position_that_has_no_orders_beside_it() {
    let mut desk = Desk::ready(with(|settings| {
        settings.risk.stop_cents = None;
        settings.risk.target_cents = None;
        settings.risk.daily_loss_cents = 10_000;
    }));
    desk.sink();
    assert_eq!((desk.broker.position, desk.status().orders.len()), (1, 0));

    desk.price(19_819);
    desk.pass(3_000);

    assert_eq!((desk.broker.position, desk.posture()), (0, Posture::Halted));
}

#[test]
fn d17_does_nothing_where_a_person_has_halted_already() {
    let mut desk = Desk::ready(with(|settings| {
        settings.risk.trailing_drawdown_cents = Some(10_000);
        settings.risk.target_cents = None;
    }));
    desk.sink();
    quote(&mut desk, 20_141, 20_142);
    desk.command(Command::Halt {
        reason: "by hand".into(),
    });

    quote(&mut desk, 20_061, 20_062);

    assert!(!tripped(&desk, "trail_dd"));
    assert_eq!(desk.broker.position, 1, "its stop goes on");
}

#[test]
fn d4_each_side_is_judged_by_its_own_stop() {
    // A stop of four ticks: from the ask down for a long entry, from the bid up for a short one.
    for (is_long, spread, blocked) in [
        (true, 3, None),
        (true, 4, Some("collar")),
        (false, 3, None),
        (false, 4, Some("collar")),
    ] {
        let mut desk = Desk::ready(with(|settings| {
            settings.risk.stop_cents = Some(4 * 125);
            settings.risk.max_spread_ticks = 20;
        }));
        let price = if is_long { 19_900 } else { 20_100 };
        quote(&mut desk, price - spread + 1, price + 1);
        desk.tell(Event::Trade {
            exchange_at_ms: desk.at_ms,
            price_ticks: price,
            size: 1,
        });
        desk.pass(1_300);

        assert_eq!(
            desk.blocked().as_deref(),
            blocked,
            "long {is_long}, {spread} t"
        );
        assert_eq!(desk.entries(), usize::from(blocked.is_none()));
    }
}
