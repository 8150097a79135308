//! What a setting is, apart from which there are.

/// The file a key lives in. Each key lives in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// `settings.env`: what every install needs.
    Env,
    /// `mailctl.toml`: structure.
    Toml,
}

impl Home {
    /// Its file name.
    pub fn file(self) -> &'static str {
        match self {
            Self::Env => "settings.env",
            Self::Toml => "mailctl.toml",
        }
    }
}

/// What a value looks like, in the words of the manual.
pub type Kind = &'static str;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `DOMAIN`, or `ports.smtp` in `mailctl.toml`.
    pub name: &'static str,
    /// Its file.
    pub home: Home,
    /// What its value looks like.
    pub kind: Kind,
    /// Used where nothing is set; "" = nothing.
    pub default: &'static str,
    /// A value to show where there is no default.
    pub example: &'static str,
    /// Nothing works without it.
    pub required: bool,
    /// Never shown.
    pub secret: bool,
    /// Its paragraph of manual.
    pub manual: &'static str,
}

impl Key {
    /// The environment variable that wins over the file.
    pub fn variable(&self) -> String {
        format!("MAILCTL_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    pub(super) const fn default(mut self, text: &'static str) -> Self {
        self.default = text;
        self
    }
    pub(super) const fn example(mut self, text: &'static str) -> Self {
        self.example = text;
        self
    }
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

const fn key(home: Home, name: &'static str, kind: Kind, manual: &'static str) -> Key {
    Key { name, home, kind, default: "", example: "", required: false, secret: false, manual }
}
pub(super) const fn env(name: &'static str, kind: Kind, manual: &'static str) -> Key {
    key(Home::Env, name, kind, manual)
}
pub(super) const fn toml(name: &'static str, kind: Kind, manual: &'static str) -> Key {
    key(Home::Toml, name, kind, manual)
}
