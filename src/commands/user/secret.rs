//! Where a user's password comes from: made here, typed, piped in, or (with a warning) an argument.

use crate::{
    error::{Error, codes},
    mail::{address::Address, password},
    ui::Ui,
};

/// Without any of these, a password is made and shown once
#[derive(clap::Args, Debug, Default)]
pub struct Source {
    /// The password; other users of this machine may see it here, so better use one of the options
    #[arg(value_name = "PASSWORD", conflicts_with_all = ["prompt", "password_stdin"])]
    pub password: Option<String>,
    /// Ask for the password at the terminal
    #[arg(long, conflicts_with = "password_stdin")]
    pub prompt: bool,
    /// Read the password from standard input: one line
    #[arg(long)]
    pub password_stdin: bool,
}

/// A password on its way to the store.
pub struct Chosen {
    /// As typed or made.
    pub password: String,
    /// Made here, so it must be shown.
    pub generated: bool,
}

/// Gets the password, and refuses a weak one.
pub fn choose(source: Source, address: &Address, ui: &mut Ui) -> Result<Chosen, Error> {
    let typed = if source.password_stdin {
        ui.password_from_stdin()?
    } else if source.prompt {
        ui.ask_new_password(&address.to_string())?
    } else if let Some(password) = source.password {
        ui.warn(
            "a password on the command line can be seen by other users of this machine and stays in the \
             shell's history; leave it out, or use --prompt or --password-stdin",
        );
        password
    } else {
        return Ok(Chosen { password: password::generate(rand::random()), generated: true });
    };
    password::judge(&typed, &address.to_string()).map_err(|weak| {
        Error::new(codes::PASSWORD_WEAK, format!("this password is not taken for {address}"))
            .cause(weak)
            .hint("leave it out, and a strong one is made and shown")
    })?;
    Ok(Chosen { password: typed, generated: false })
}

/// The hash that Dovecot verifies. It takes a quarter of a second and 64 MiB on purpose, so it is made
/// before the lock is taken.
pub async fn hash(password: &str) -> Result<String, Error> {
    let (password, salt) = (password.to_owned(), rand::random());
    tokio::task::spawn_blocking(move || password::hash(&password, salt)).await.ok().flatten().ok_or_else(
        || Error::new(codes::MEMORY, "the password cannot be hashed").cause("64 MiB of memory are needed"),
    )
}
