//! `mailctl init`: a home to start from. Every step looks first whether it is done, so it can be run again
//! after anything, and then does only what is missing.

mod admin;
mod answers;
mod names;
mod step;

use crate::{
    error::Error,
    settings::Settings,
    ui::Ui,
    world::{World, atomic},
};
use answers::Answers;
use step::{Done, Step};

/// Set up a home: settings, folders, the administrator's mailbox, DKIM keys, a first certificate
///
/// Asks for what no flag answers. Running it again changes nothing; settings are changed in settings.env
/// afterwards, not here.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// First domain to serve, like example.org
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The server's own name, like mail.example.org
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Address of the administrator; its mailbox is made here
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// Further domains to serve, with commas between them
    #[arg(long, value_name = "DOMAINS")]
    additional_domains: Option<String>,
    /// Have certificates issued by Let's Encrypt, and agree to its terms of service; without it they are self-signed
    #[arg(long)]
    acme: bool,
    /// Whom the authority may write to; without it, the administrator
    #[arg(long, value_name = "ADDRESS", requires = "acme")]
    acme_email: Option<String>,
    /// Any other setting of settings.env, like TZ=Europe/Berlin; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Read the administrator's password from standard input instead of making one
    #[arg(long)]
    admin_password_stdin: bool,
    /// Print what would be done, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Does what is missing.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let given = Answers::of(&args, world)?;
    if let Some(key) = given.secret() {
        ui.warn(format!(
            "a {key} on the command line can be seen by other users of this machine and stays in the shell's \
             history; better use {key}_FILE"
        ));
    }
    let fresh = !world.paths.settings_env().exists();
    let (settings, text) = if fresh {
        let answers = given.complete(ui)?;
        names::check(&answers, ui).await?;
        let text = answers.settings_env();
        (world.settings_from(&text)?.settings, text)
    } else {
        let loaded = world.settings()?;
        given.agree_with(&loaded.settings, world)?;
        (loaded.settings, String::new())
    };
    let steps = step::missing(world, &settings, &text).await?;
    if args.dry_run {
        tell_plan(&steps, ui);
        return Ok(());
    }
    if steps.is_empty() {
        ui.say(format!("nothing to do: {} is set up", world.paths.home().display()));
        if ui.manner().json {
            ui.json(&serde_json::json!({"home": world.paths.home(), "done": Vec::<String>::new()}));
        }
        return Ok(());
    }
    let password = if args.admin_password_stdin { Some(admin::given_password(&settings, ui)?) } else { None };
    apply(world, &settings, &text, password, ui).await
}

/// Sets up a new home without a word; returns the administrator's password. For `demo`.
pub async fn make(world: &World, settings_env: &str) -> Result<String, Error> {
    let settings = world.settings_from(settings_env)?.settings;
    step::make_home(world)?;
    atomic::folder(&world.paths.state(), atomic::shared(0o700, 0))?;
    let _lock = world.lock()?;
    let mut password = String::new();
    for step in step::missing(world, &settings, settings_env).await? {
        if let Done::Password(made) = step.apply(world, &settings, None).await? {
            password = made;
        }
    }
    admin::settled(world)?;
    Ok(password)
}

async fn apply(
    world: &World,
    settings: &Settings,
    text: &str,
    password: Option<String>,
    ui: &mut Ui,
) -> Result<(), Error> {
    // The lock is a file inside the home, so these two come before it.
    step::make_home(world)?;
    atomic::folder(&world.paths.state(), atomic::shared(0o700, 0))?;
    let _lock = world.lock()?;
    // Somebody else may have done part of it while we waited for the lock.
    let steps = step::missing(world, settings, text).await?;
    let mut made = None;
    let mut done = Vec::new();
    for step in &steps {
        if let Done::Password(password) = step.apply(world, settings, password.as_deref()).await? {
            made = Some(password);
        }
        if !matches!(step, Step::Folder(..)) {
            ui.say(format!("done: {step}"));
        }
        done.push(step.to_string());
    }
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "home": world.paths.home(), "done": done, "admin": settings.admin, "password": made,
        }));
    } else if let Some(password) = &made {
        ui.say(format!("the password of {}, shown only now:", settings.admin));
        ui.secret(password);
    }
    // Only now: had we been stopped before the password was shown, the next run makes another.
    admin::settled(world)?;
    what_next(world, settings, ui);
    Ok(())
}

fn tell_plan(steps: &[Step], ui: &mut Ui) {
    if ui.manner().json {
        let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
        return ui.json(&serde_json::json!({"steps": steps}));
    }
    for step in steps {
        ui.data(format!("would {step}"));
    }
    if steps.is_empty() {
        ui.say("nothing to do");
    }
}

fn what_next(world: &World, settings: &Settings, ui: &mut Ui) {
    let home = world.paths.home().display().to_string();
    let mut mailctl = "mailctl".to_owned();
    if home != "/var/lib/mailctl" {
        mailctl.push_str(&format!(" --home {home}"));
    }
    if world.project != "mailctl" {
        mailctl.push_str(&format!(" --project {}", world.project));
    }
    ui.say(format!("\n{home} is set up. What comes next:"));
    ui.say(format!("  {mailctl} up             start the server"));
    ui.say(format!("  {mailctl} dns-records    what to publish in DNS"));
    ui.say(format!("  {mailctl} dns-check      whether it is published, and right"));
    ui.say(format!("  {mailctl} user add NAME@{}", settings.domain));
    if settings.acme.is_none() && settings.certificate.is_none() {
        ui.say("Mail programs do not believe the self-signed certificate. For one that they believe:");
        ui.say(format!(
            "  write CERTIFICATES=acme into {} (Let's Encrypt, and you agree to its terms), then: {mailctl} up",
            world.paths.settings_env().display()
        ));
        ui.say(format!("  {mailctl} cert import    where you have one already"));
    }
}
