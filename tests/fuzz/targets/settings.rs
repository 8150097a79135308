//! `settings.env` and `mailctl.toml`, split at the first NUL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::settings::{load, source::Sources};

fuzz_target!(|text: &str| {
    let (env, toml) = text.split_once('\0').map_or((text, None), |(env, toml)| (env, Some(toml)));
    let read = |environment: &[(String, String)]| {
        load(&Sources { settings_env: Some(env), mailctl_toml: toml, environment })
    };
    if let Err(faults) = read(&[]) {
        assert!(!faults.is_empty());
        assert!(faults.iter().all(|fault| !fault.to_string().is_empty()));
    }
    let _ = read(&[("MAILCTL_DOMAIN".to_owned(), env.lines().next().unwrap_or_default().to_owned())]);
});
