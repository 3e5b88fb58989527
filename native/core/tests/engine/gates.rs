//! Each gate at its limit, one below and one above; and the controls that act by themselves.

use crate::support::*;
use scalper_core::effect::Notice;
use scalper_core::event::{Command, Event, Span};
use scalper_core::settings::*;
use scalper_core::status::{Posture, Side};

const MINUTE_MS: i64 = 60_000;

fn is_open(desk: &Desk, name: &str) -> bool {
    let gates = desk.status().gates;
    gates
        .iter()
        .find(|gate| gate.name == name)
        .unwrap_or_else(|| panic!("no gate {name}"))
        .open
}

/// Minutes after START at which the Chicago clock shows this time.
fn until(hour: i64, minute: i64) -> i64 {
    ((hour - 10) * 60 + minute) * MINUTE_MS
}

#[test]
fn all_gates_are_open_in_a_calm_market_with_a_full_window() {
    let desk = Desk::ready(settings());

    let closed: Vec<_> = desk
        .status()
        .gates
        .into_iter()
        .filter(|gate| !gate.open)
        .collect();

    assert_eq!(closed, []);
}

#[test]
fn the_age_of_data_closes_its_gate_beyond_two_seconds() {
    for (age_ms, open) in [(1_999, true), (2_000, true), (2_001, false)] {
        let mut desk = Desk::ready(settings());
        desk.price(20_000);

        desk.pass(age_ms);
        desk.tell(Event::Woke {});

        assert_eq!(is_open(&desk, "data_age"), open, "{age_ms} ms");
    }
}

#[test]
fn after_a_gap_the_third_fresh_quote_opens_the_gate() {
    let mut desk = Desk::ready(settings());
    desk.pass(5_000);

    for (count, open) in [(1, false), (2, false), (3, true)] {
        desk.price(20_000);
        let gate = desk.gate("data_age");
        assert_eq!(gate.open, open);
        if !open {
            assert_eq!(gate.detail, format!("{count} of 3 fresh quotes"));
        }
    }
}

#[test]
fn a_spread_beyond_its_limit_closes_until_it_was_good_for_five_seconds() {
    for (spread, open) in [(1, true), (2, true), (3, false)] {
        let mut desk = Desk::ready(settings());
        let quote = |desk: &mut Desk, spread: i32| {
            desk.tell(Event::Quote {
                exchange_at_ms: desk.at_ms,
                bid_ticks: Some(20_000),
                ask_ticks: Some(20_000 + spread),
                bid_size: 1,
                ask_size: 1,
            });
        };

        quote(&mut desk, spread);
        assert_eq!(is_open(&desk, "spread"), open, "{spread} t");

        quote(&mut desk, 1);
        desk.pass(4_999);
        desk.tell(Event::Woke {});
        assert_eq!(is_open(&desk, "spread"), open, "{spread} t a moment ago");
        desk.pass(1);
        desk.tell(Event::Woke {});
        assert!(is_open(&desk, "spread"));
    }
}

#[test]
fn the_clock_closes_the_last_entry_and_the_flat_window_to_the_millisecond() {
    let early = |settings: &mut EngineSettings| {
        settings.session.no_entry_before_flatten_ms = 10 * MINUTE_MS
    };
    let table = [
        (until(15, 45) - 1, "last_entry", true),
        (until(15, 45), "last_entry", false),
        (until(15, 55) - 1, "flat_window", true),
        (until(15, 55), "flat_window", false),
        (until(17, 0) - 1, "flat_window", false),
        (until(17, 0), "flat_window", true),
    ];
    for (after_ms, name, open) in table {
        let mut desk = Desk::ready(with(early));
        desk.pass(START_MS + after_ms - desk.at_ms);
        desk.tell(Event::Woke {});

        assert_eq!(is_open(&desk, name), open, "{name} at {after_ms}");
    }
}

#[test]
fn on_an_early_close_the_flat_window_begins_five_minutes_before_it() {
    for (after_ms, open) in [(until(11, 55) - 1, true), (until(11, 55), false)] {
        let mut desk = Desk::ready(settings());
        let mut early = contract();
        early.hours = vec![Span {
            from_ms: START_MS - 3_600_000,
            to_ms: START_MS + until(12, 0),
        }];
        desk.tell(Event::ContractResolved { contract: early });
        desk.pass(START_MS + after_ms - desk.at_ms);
        desk.tell(Event::Woke {});

        assert_eq!(is_open(&desk, "flat_window"), open);
    }
}

#[test]
fn no_entry_half_an_hour_before_the_broker_resets() {
    let nightly = |settings: &mut EngineSettings| {
        // 13:00 to 14:00 New York on Wednesdays is 12:00 to 13:00 in Chicago.
        let from_week_minute = 2 * 1_440 + 13 * 60;
        settings.session.reset_windows = vec![ResetSpan {
            from_week_minute,
            to_week_minute: from_week_minute + 60,
        }];
    };
    let table = [
        (until(11, 30) - 1, true),
        (until(11, 30), false),
        (until(13, 0) - 1, false),
        (until(13, 0), true),
    ];
    for (after_ms, open) in table {
        let mut desk = Desk::ready(with(nightly));
        desk.pass(START_MS + after_ms - desk.at_ms);
        desk.tell(Event::Woke {});

        assert_eq!(is_open(&desk, "reset_window"), open, "{after_ms}");
    }
}

#[test]
fn the_roll_closes_entries_so_many_days_before_the_last_trade_date() {
    // 2026-11-25 to 2026-12-18 are 23 days.
    for (days, open) in [(22, true), (23, false), (24, false)] {
        let desk = Desk::ready(with(|settings| settings.roll_days_before = Some(days)));

        assert_eq!(is_open(&desk, "roll"), open, "{days}");
    }
}

#[test]
fn sizes_and_money_are_held_to_their_limits() {
    type Change = fn(&mut EngineSettings, i64);
    let table: [(&str, Change, i64, [bool; 3]); 5] = [
        (
            "max_notional",
            |s, at| s.risk.max_notional_cents = Some(at),
            20_000 * 125,
            [false, true, true],
        ),
        (
            "fat_finger",
            |s, at| s.strategy.quantity = u32::try_from(at).unwrap(),
            1,
            [false, true, false],
        ),
        (
            "open_order",
            |s, at| s.risk.max_open_orders = u32::try_from(at).unwrap(),
            3,
            [false, true, true],
        ),
        (
            "price",
            |s, at| s.risk.stop_cents = Some(at),
            4 * 125,
            [false, true, true],
        ),
        (
            "loss_budget",
            |s, at| {
                s.risk.loss_budget_check = true;
                s.risk.daily_loss_cents = at;
            },
            164 * 125 + 114,
            [false, true, true],
        ),
    ];
    for (name, change, limit, expected) in table {
        for (step, open) in [-1, 0, 1].into_iter().zip(expected) {
            let desk = Desk::ready(with(|settings| change(settings, limit + step)));

            assert_eq!(is_open(&desk, name), open, "{name} at {}", limit + step);
        }
    }
}

#[test]
fn entries_are_held_to_their_rate() {
    let rate = RateLimit {
        minute: 1,
        hour: 40,
        day: 400,
    };
    let mut desk = Desk::ready(with(|settings| settings.risk.entries_max = Some(rate)));
    desk.sink();
    assert!(!is_open(&desk, "order_rate"));

    desk.pass(60_000);
    desk.tell(Event::Woke {});

    assert!(is_open(&desk, "order_rate"));
}

#[test]
fn a_gate_of_the_shell_blocks_and_names_itself() {
    let mut desk = Desk::ready(settings());
    desk.tell(Event::GateChanged {
        gate: "disk".into(),
        blocks: true,
        detail: "200 MiB left".into(),
    });

    desk.sink();

    assert_eq!(
        (desk.entries(), desk.blocked().as_deref()),
        (0, Some("disk"))
    );
    let denied = desk
        .notices()
        .iter()
        .filter(|notice| matches!(notice, Notice::EntryDenied { .. }))
        .count();
    assert_eq!(denied, 1);
}

#[test]
fn one_bad_tick_is_ignored_and_three_in_a_row_are_a_new_level_that_blocks_for_a_while() {
    let mut desk = Desk::ready(with(|settings| settings.risk.bad_tick_ticks = 25));

    desk.tell(Event::Trade {
        exchange_at_ms: desk.at_ms,
        price_ticks: 20_800,
        size: 1,
    });
    assert_eq!(desk.status().last_ticks, Some(20_000));
    desk.prices(&[20_000]);
    assert!(is_open(&desk, "bad_tick"));

    for _ in 0..3 {
        desk.tell(Event::Trade {
            exchange_at_ms: desk.at_ms,
            price_ticks: 20_800,
            size: 1,
        });
    }
    assert_eq!(desk.status().last_ticks, Some(20_800));
    assert!(!is_open(&desk, "bad_tick"));
    desk.pass(30_000);
    desk.tell(Event::Woke {});
    assert!(is_open(&desk, "bad_tick"));
}

#[test]
fn impossible_prices_and_crossed_books_are_ignored() {
    let mut desk = Desk::ready(settings());
    for ticks in [0, -1, i32::MIN, i32::MAX] {
        desk.tell(Event::Trade {
            exchange_at_ms: desk.at_ms,
            price_ticks: ticks,
            size: 1,
        });
        desk.tell(Event::Quote {
            exchange_at_ms: desk.at_ms,
            bid_ticks: Some(ticks),
            ask_ticks: Some(ticks),
            bid_size: 1,
            ask_size: 1,
        });
    }

    let status = desk.status();
    assert_eq!(
        (status.last_ticks, status.bid_ticks, status.ask_ticks),
        (Some(20_000), Some(20_000), Some(20_001))
    );
}

#[test]
fn old_data_raise_an_alarm_in_open_hours_and_fresh_ones_end_it() {
    let mut desk = Desk::ready(settings());
    desk.price(20_000);
    desk.pass(9_999);
    assert!(!desk.controls().contains(&("stale_quote".to_owned(), true)));

    desk.pass(1);
    assert!(desk.controls().contains(&("stale_quote".to_owned(), true)));
    desk.price(20_000);

    assert!(desk.controls().contains(&("stale_quote".to_owned(), false)));
}

#[test]
fn a_contract_of_another_tick_or_multiplier_is_not_traded() {
    for (tick_size_e4, multiplier_cents, halts) in [
        (2_500, 500, false),
        (2_501, 500, true),
        (2_500, 5_000, true),
    ] {
        let mut desk = Desk::ready(settings());
        let mut other = contract();
        other.tick_size_e4 = tick_size_e4;
        other.multiplier_cents = multiplier_cents;

        desk.tell(Event::ContractResolved { contract: other });

        assert_eq!(desk.posture() == Posture::Halted, halts);
    }
}

#[test]
fn the_daily_limit_trips_at_the_limit_and_not_a_cent_before() {
    // Long 1 at 19 900 with 57 cents of fees: a tick is 125 cents.
    for (limit_cents, halts) in [
        (80 * 125 + 56, true),
        (80 * 125 + 57, true),
        (80 * 125 + 58, false),
    ] {
        let mut desk = Desk::ready(with(|settings| {
            settings.risk.daily_loss_cents = limit_cents
        }));
        desk.sink();

        desk.tell(Event::Quote {
            exchange_at_ms: desk.at_ms,
            bid_ticks: Some(19_820),
            ask_ticks: Some(19_821),
            bid_size: 1,
            ask_size: 1,
        });

        let tripped = desk.controls().contains(&("daily_loss".to_owned(), true));
        assert_eq!(tripped, halts, "{limit_cents}");
    }
}

#[test]
fn a_command_is_obeyed_once_and_its_repeat_is_answered_as_one() {
    let mut desk = Desk::ready(settings());
    for _ in 0..2 {
        desk.tell(Event::Command {
            by: "anna".into(),
            update_id: Some(7),
            command: Command::Pause { until_ms: None },
        });
    }

    let answers: Vec<bool> = desk
        .effects
        .iter()
        .filter_map(|effect| match effect {
            scalper_core::effect::Effect::CommandAnswered { repeated, .. } => Some(*repeated),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [false, true]);
}

#[test]
fn a_halt_survives_a_restart_and_only_arm_ends_it() {
    let mut desk = Desk::ready(settings());
    desk.command(Command::Halt {
        reason: "lunch".into(),
    });
    desk.tell(started(settings()));
    desk.link_up();
    assert_eq!(desk.posture(), Posture::Halted);

    assert!(!desk.command(Command::Resume {}).0);
    assert_eq!(desk.posture(), Posture::Halted);
    assert!(desk.command(Command::Arm {}).0);

    assert_eq!(desk.posture(), Posture::Trading);
}

fn detail(desk: &Desk, name: &str) -> String {
    desk.gate(name).detail
}

fn quote(desk: &mut Desk, bid: Option<i32>, ask: Option<i32>) {
    desk.tell(Event::Quote {
        exchange_at_ms: desk.at_ms,
        bid_ticks: bid,
        ask_ticks: ask,
        bid_size: 1,
        ask_size: 1,
    });
}

/// Trades only, no quotes at all.
fn trades(desk: &mut Desk, count: usize) {
    for _ in 0..count {
        desk.tell(Event::Trade {
            exchange_at_ms: desk.at_ms,
            price_ticks: 20_000,
            size: 1,
        });
    }
}

#[test]
fn a_link_that_flaps_keeps_entries_out_at_the_sixth_loss() {
    let mut desk = Desk::ready(settings());
    let mut lost = 0;
    for (losses, open) in [(1, true), (5, true), (6, false), (7, false)] {
        while lost < losses {
            lost += 1;
            desk.link_down();
            desk.pass(1_000);
            assert!(!is_open(&desk, "link"), "while it is down");
            desk.link_up();
            desk.pass(1_000);
        }

        assert_eq!(is_open(&desk, "link"), open, "{losses} losses");
    }
    desk.pass(15 * MINUTE_MS);
    assert!(is_open(&desk, "link"), "{}", detail(&desk, "link"));
}

#[test]
fn what_the_broker_has_not_told_yet_closes_the_gate() {
    let mut desk = Desk::new(settings());
    desk.broker.faults.hide_state = true;
    desk.link_up();
    assert!(!is_open(&desk, "reconciled"));

    desk.broker.faults.hide_state = false;
    desk.pass(60_000);
    assert!(is_open(&desk, "reconciled"));
}

#[test]
fn the_contracts_hours_open_and_close_the_market_to_the_millisecond() {
    let hours = Span {
        from_ms: START_MS + 60_000,
        to_ms: START_MS + 120_000,
    };
    for (after_ms, open) in [
        (59_999, false),
        (60_000, true),
        (119_999, true),
        (120_000, false),
    ] {
        let mut desk = Desk::ready(settings());
        let mut short = contract();
        short.hours = vec![hours];
        desk.tell(Event::ContractResolved { contract: short });
        desk.pass(START_MS + after_ms - desk.at_ms);
        desk.tell(Event::Woke {});

        let gate = desk.gate("market_open");
        assert_eq!(
            (gate.open, gate.detail.as_str()),
            (open, if open { "open" } else { "closed" }),
            "{after_ms}"
        );
    }
}

#[test]
fn hours_that_are_not_known_keep_nothing_out_and_say_so() {
    let mut desk = Desk::ready(settings());
    let mut unknown = contract();
    unknown.hours = vec![];
    desk.tell(Event::ContractResolved { contract: unknown });

    let gate = desk.gate("market_open");
    assert_eq!((gate.open, gate.detail.as_str()), (true, "hours not known"));
}

#[test]
fn the_age_of_data_is_told_as_it_stands() {
    let mut desk = Desk::new(settings());
    desk.link_up();
    assert_eq!(detail(&desk, "data_age"), "no data yet");
    assert!(!is_open(&desk, "data_age"));

    desk.price(20_000);
    assert_eq!(detail(&desk, "data_age"), "1 of 3 fresh quotes");
    desk.price(20_000);
    desk.price(20_000);
    assert_eq!(detail(&desk, "data_age"), "0 ms ≤ 2000 ms");
    assert!(is_open(&desk, "data_age"));

    desk.pass(2_001);
    desk.tell(Event::Woke {});
    assert_eq!(detail(&desk, "data_age"), "2001 ms > 2000 ms");
    desk.price(20_000);
    desk.pass(2_001);
    desk.tell(Event::Woke {});
    assert_eq!(
        detail(&desk, "data_age"),
        "2001 ms > 2000 ms",
        "old data is old, however few fresh quotes there were"
    );
}

#[test]
fn the_spread_is_judged_where_there_are_quotes() {
    let mut desk = Desk::new(settings());
    desk.link_up();
    trades(&mut desk, 3);
    let gate = desk.gate("spread");
    assert_eq!(
        (gate.open, gate.detail.as_str()),
        (true, "no quotes in this feed")
    );

    quote(&mut desk, Some(20_000), None);
    let gate = desk.gate("spread");
    assert_eq!(
        (gate.open, gate.detail.as_str()),
        (false, "one side of the book is empty"),
        "before the first whole quote"
    );

    for (spread, relation) in [(1, "≤"), (2, "≤"), (3, ">")] {
        quote(&mut desk, Some(20_000), Some(20_000 + spread));
        assert_eq!(
            detail(&desk, "spread"),
            format!("{spread} t {relation} 2 t")
        );
    }
    quote(&mut desk, None, Some(20_001));
    let gate = desk.gate("spread");
    assert_eq!(
        (gate.open, gate.detail.as_str()),
        (false, "one side of the book is empty")
    );
}

#[test]
fn what_an_entry_would_add_is_counted_only_where_one_is_possible() {
    let mut desk = Desk::ready(settings());
    assert_eq!(detail(&desk, "max_position"), "1 ≤ 1 contracts");

    desk.broker.faults.hold_market = true;
    desk.sink();
    assert_eq!(
        detail(&desk, "max_position"),
        "1 ≤ 1 contracts",
        "an entry under way"
    );
    assert_eq!(
        detail(&desk, "open_order"),
        "3 own orders may exist, limit 6"
    );
}

#[test]
fn r17_foreign_contracts_count_as_if_they_had_filled() {
    let mut desk = Desk::ready(with(|settings| settings.allow_foreign = true));
    let request = scalper_core::effect::OrderRequest {
        order_ref: String::new(),
        side: Side::Buy,
        quantity: 2,
        kind: scalper_core::status::OrderKind::Limit {
            limit_ticks: 19_000,
        },
        tif: scalper_core::status::Tif::Day,
        parent_ref: None,
        oca_group: None,
        outside_rth: true,
    };
    desk.broker.orders.insert(
        "by hand".into(),
        Held {
            request,
            order_id: 7_000,
            state: scalper_core::event::BrokerOrderState::Working,
            filled: 0,
            is_new: false,
        },
    );
    desk.pass(61_000);

    let gate = desk.gate("max_position");
    assert_eq!(
        (gate.open, gate.detail.as_str()),
        (false, "3 > 1 contracts")
    );
}

#[test]
fn d10_only_orders_of_the_other_side_keep_an_entry_out() {
    for (side, gate) in [(Side::Sell, "self_cross"), (Side::Buy, "open_order")] {
        let mut desk = Desk::ready(settings());
        desk.broker.faults.swallow_cancels = true;
        desk.broker.hold(true);
        let key = format!(
            "QS1-t3st-261125-zz{}-E",
            if side == Side::Buy { "b" } else { "s" }
        );
        let request = scalper_core::effect::OrderRequest {
            order_ref: key.clone(),
            side,
            quantity: 1,
            kind: scalper_core::status::OrderKind::Limit {
                limit_ticks: 19_900,
            },
            tif: scalper_core::status::Tif::Day,
            parent_ref: None,
            oca_group: None,
            outside_rth: true,
        };
        desk.broker.orders.insert(
            key,
            Held {
                request,
                order_id: 7_000,
                state: scalper_core::event::BrokerOrderState::Working,
                filled: 0,
                is_new: false,
            },
        );
        desk.pass(61_000);
        desk.warm_up();

        desk.sink();

        assert_eq!(desk.blocked().as_deref(), Some(gate), "{side:?}");
    }
}
