//! Writes the TypeScript declarations of the border, and holds the committed file to them. Shared by the tests `types` and
//! `exchange_types`, each of which makes one file.

use std::{env, fs, path::Path};

/// Returns the declarations of these types, one after the other, with their documentation.
macro_rules! declarations {
    ($head:expr, $($type:ty),+ $(,)?) => {{
        // Every integer that crosses the border stays below 2^53.
        let config = ts_rs::Config::default().with_large_int("number");
        let mut text = String::from($head);
        $(
            if let Some(docs) = <$type as ts_rs::TS>::docs() {
                text.push('\n');
                text.push_str(docs.trim_end());
            }
            text.push_str("\nexport ");
            text.push_str(&<$type as ts_rs::TS>::decl(&config));
            text.push('\n');
        )+
        text
    }};
}

/// Compares `native/<file>` with what the core declares; writes it anew where UPDATE_TYPES is set.
#[expect(
    clippy::disallowed_methods,
    reason = "a test writes and reads the generated file; the engine does not"
)]
pub fn hold(file: &str, test: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if env::var_os("UPDATE_TYPES").is_some() {
        fs::write(&path, text).expect("the generated file can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();

    assert!(
        committed == text,
        "native/{file} differs from the core: run UPDATE_TYPES=1 cargo test -p scalper-core --test {test}"
    );
}
