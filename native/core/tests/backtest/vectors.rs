//! Reads the vectors: settings by the names of the strategy note, bars from CSV, and where the files lie.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "vectors are files"
)]

use chrono::DateTime;
use scalper_core::backtest::{FillModel, Intrabar, TargetFill};
use scalper_core::event::Bar;
use scalper_core::settings::{
    CostSettings, DailyLossBasis, DailyLossReset, EngineSettings, Instrument, PriceKind,
    ResetWindow, RiskSettings, SessionSettings, StrategySettings,
};
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Ours, committed.
pub fn fixture(name: &str) -> String {
    text(&root().join("tests/fixtures/vectors").join(name))
}

/// A file that lies beside the project where its maintainers have it, and else nowhere.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(name);
    path.exists().then_some(path)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file's text.
pub fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text in a gzip file.
pub fn unzipped(path: &Path) -> String {
    let mut text = String::new();
    let file = fs::File::open(path).expect("the recording can be opened");
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("the recording is gzip");
    text
}

/// Bars of one contract; all of them where the file names none. Minutes without a trade are left out [S1].
pub fn bars(csv: &str, contract: Option<&str>) -> Vec<Bar> {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|title| *title == name);
    let price_columns = ["open", "high", "low", "close"].map(|name| column(name).expect(name));
    lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|cells| contract.is_none() || column("contract").map(|at| cells[at]) == contract)
        .filter(|cells| !cells[price_columns[3]].is_empty())
        .map(|cells| {
            let [open_ticks, high_ticks, low_ticks, close_ticks] =
                price_columns.map(|at| i32::try_from(ticks(cells[at])).expect("a price"));
            Bar {
                open_at_ms: at_ms(cells[column("ts").expect("ts")]),
                open_ticks,
                high_ticks,
                low_ticks,
                close_ticks,
                volume: 0,
            }
        })
        .collect()
}

pub fn at_ms(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text)
        .expect("a time")
        .timestamp_millis()
}

/// Quarter points to ticks.
pub fn ticks(points: &str) -> i64 {
    scaled(points, 100) / 25
}

/// A decimal number times `scale`, which must leave no rest.
pub fn scaled(decimal: &str, scale: i64) -> i64 {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let fraction_scale = 10_i64.pow(u32::try_from(fraction.len()).expect("a short fraction"));
    let digits: i64 = format!("{whole}{fraction}").parse().expect("a number");
    assert_eq!(
        digits * scale % fraction_scale,
        0,
        "{decimal} × {scale} is whole"
    );
    digits * scale / fraction_scale
}

/// `params` of a vector as settings. The controls that the vectors do not know are off.
pub fn settings(params: &Value) -> (EngineSettings, FillModel) {
    let text = |key: &str| {
        params[key]
            .as_str()
            .unwrap_or_else(|| panic!("{key} is text"))
    };
    let whole = |key: &str| {
        params[key]
            .as_i64()
            .unwrap_or_else(|| panic!("{key} is whole"))
    };
    let small = |key: &str| u32::try_from(whole(key)).expect("a small number");
    let money = |key: &str| params[key].as_str().map(|dollars| scaled(dollars, 100));
    let minute = |key: &str| {
        params[key]
            .as_str()
            .filter(|clock| *clock != "none")
            .map(minute_of_day)
    };
    let tick_size_e4 = scaled(text("tick"), 10_000);
    let settings = EngineSettings {
        instrument: Instrument {
            symbol: text("symbol").to_owned(),
            tick_size_e4,
            tick_value_cents: tick_size_e4 * scaled(text("multiplier"), 1) / 100,
        },
        strategy: StrategySettings {
            sampling_ms: whole("bar_seconds") * 1_000,
            price: PriceKind::Last,
            window: small("window"),
            ddof: u8::try_from(whole("ddof")).expect("0 or 1"),
            entry_z_e4: scaled(text("entry"), 10_000),
            exit_z_e4: scaled(text("exit"), 10_000),
            reset_window: match text("reset_window") {
                "session" => ResetWindow::Session,
                "never" => ResetWindow::Never,
                other => panic!("reset_window {other}"),
            },
            quantity: small("qty"),
        },
        risk: RiskSettings {
            stop_cents: money("stop"),
            target_cents: money("target"),
            daily_loss_cents: money("daily_loss").expect("a daily loss limit"),
            daily_loss_basis: match text("daily_basis") {
                "total" => DailyLossBasis::Total,
                "realised" => DailyLossBasis::Realised,
                other => panic!("daily_basis {other}"),
            },
            loss_streak: small("consec_losses"),
            loss_streak_pause_ms: whole("pause_min") * 60_000,
            max_hold_ms: whole("max_hold_min") * 60_000,
            ..quiet_risk()
        },
        session: SessionSettings {
            time_zone: text("session_tz").to_owned(),
            open_minute: minute("session_open"),
            entry_windows: Vec::new(),
            no_entry_before_flatten_ms: 0,
            flatten_at_minute: minute("flatten_at"),
            flatten_before_close_ms: 300_000,
            reset_windows: Vec::new(),
            reset_zone: "America/New_York".to_owned(),
        },
        costs: CostSettings {
            fee_cents: money("fee").expect("a fee"),
            slippage_ticks: whole("slippage_ticks"),
        },
        instance: "test".to_owned(),
        allow_foreign: false,
        roll_days_before: None,
        flat_days_before: None,
    };
    let fills = FillModel {
        intrabar: match text("intrabar") {
            "stop-first" => Intrabar::StopFirst,
            "target-first" => Intrabar::TargetFirst,
            other => panic!("intrabar {other}"),
        },
        target_fill: match text("target_fill") {
            "touch" => TargetFill::Touch,
            "through" => TargetFill::Through,
            other => panic!("target_fill {other}"),
        },
        start_equity_cents: money("equity").expect("an equity"),
    };
    (settings, fills)
}

fn minute_of_day(clock: &str) -> u32 {
    let (hour, minute) = clock.split_once(':').expect("HH:MM");
    hour.parse::<u32>().expect("an hour") * 60 + minute.parse::<u32>().expect("a minute")
}

/// Every limit that a backtest does not know, wide open.
fn quiet_risk() -> RiskSettings {
    RiskSettings {
        stop_cents: None,
        target_cents: None,
        daily_loss_cents: 50_000,
        daily_loss_basis: DailyLossBasis::Total,
        daily_loss_reset: DailyLossReset::NextSession,
        loss_streak: 3,
        loss_streak_pause_ms: 1_800_000,
        max_hold_ms: 7_200_000,
        max_position: 1,
        max_notional_cents: None,
        loss_budget_check: false,
        trailing_drawdown_cents: None,
        trailing_armed_at_cents: 30_000,
        entry_collar_ticks: 8,
        exit_collar_ticks: 40,
        stale_entry_ms: 2_000,
        stale_alarm_ms: 10_000,
        max_spread_ticks: 2,
        bad_tick_ticks: 25,
        max_open_orders: 6,
        entries_max: None,
        orders_max: None,
        excess_liquidity_pct: None,
    }
}
