//! The operator's two files, read from the disk and understood.

use super::{World, io_error, no_settings};
use crate::{
    error::{Error, codes},
    settings::{
        Loaded,
        source::{Fault, Origin, Sources, Words},
    },
};
use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt, path::Path};

impl World {
    /// Reads `settings.env`, `mailctl.toml` and the environment; the error tells everything that is wrong.
    pub fn settings(&self) -> Result<Loaded, Error> {
        let path = self.paths.settings_env();
        let settings_env = read(&path)?;
        if settings_env.is_none() && !self.environment.iter().any(|(name, _)| name == "MAILCTL_DOMAIN") {
            return Err(no_settings(&self.paths));
        }
        let words = self.words(settings_env.as_deref())?;
        if words.holds_secret() {
            secret_mode(&path)?;
        }
        self.understood(words)
    }

    /// As [`World::settings`], with this text in the place of a `settings.env` that is still to be written.
    pub fn settings_from(&self, settings_env: &str) -> Result<Loaded, Error> {
        self.understood(self.words(Some(settings_env))?)
    }

    fn words(&self, settings_env: Option<&str>) -> Result<Words, Error> {
        let mailctl_toml = read(&self.paths.mailctl_toml())?;
        let environment = &self.environment;
        Ok(Words::gather(&Sources { settings_env, mailctl_toml: mailctl_toml.as_deref(), environment }))
    }

    fn understood(&self, mut words: Words) -> Result<Loaded, Error> {
        for (key, path) in words.secrets_wanted() {
            words.secret_read(key, &path, secret_file(Path::new(&path)));
        }
        words.settle().map_err(|faults| self.settings_error(&faults))
    }

    fn settings_error(&self, faults: &[Fault]) -> Error {
        let what = match faults.len() {
            1 => "the settings have a fault".to_owned(),
            n => format!("the settings have {n} faults"),
        };
        let in_toml = |fault: &Fault| matches!(&fault.place, Origin::Line("mailctl.toml", _));
        let in_environment = |fault: &Fault| matches!(&fault.place, Origin::Variable(_));
        let mut error = Error::new(codes::SETTINGS_INVALID, what);
        if faults.iter().any(|fault| !in_toml(fault) && !in_environment(fault)) {
            error = error.hint(format!("edit {}", self.paths.settings_env().display()));
        }
        if faults.iter().any(in_toml) {
            error = error.hint(format!("edit {}", self.paths.mailctl_toml().display()));
        }
        faults.iter().fold(error, |error, fault| error.cause(fault)).hint("mailctl config check")
    }
}

/// The text of a file, `None` where there is no such file.
fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|e| {
            let line =
                e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
            Error::new(codes::SETTINGS_INVALID, format!("{} line {line} is not UTF-8 text", path.display()))
        }),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io_error("read", path, &e)),
    }
}

/// A file with a password in it: nobody else reads it, nobody else writes it.
fn secret_mode(path: &Path) -> Result<(), Error> {
    let mode = fs::metadata(path).map_err(|e| io_error("read", path, &e))?.permissions().mode() & 0o777;
    if mode & 0o137 == 0 {
        return Ok(());
    }
    Err(Error::new(
        codes::SETTINGS_EXPOSED,
        format!("{} holds a password and has mode {mode:04o}", path.display()),
    )
    .hint(format!("chmod 0600 {}", path.display())))
}

/// The content of a secret file, or why not.
pub(super) fn secret_file(path: &Path) -> Result<String, String> {
    if !path.is_absolute() {
        return Err("is not an absolute path".to_owned());
    }
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let mode = fs::metadata(path).map_err(|e| e.to_string())?.permissions().mode() & 0o777;
    if mode & 0o027 != 0 {
        return Err(format!("has mode {mode:04o}; others could read it: chmod 0600 {}", path.display()));
    }
    Ok(text)
}
