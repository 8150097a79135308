//! `mailctl demo`: a whole mail server in a home of its own, shown working act by act.

pub(super) mod script;

use super::{down, init, scene::Scene, up, user};
use crate::{
    error::{Error, codes},
    mail::{
        address::{Address, Domain},
        cert::Place,
        password,
    },
    plan::observed::Container,
    settings::example,
    ui::{Manner, Ui},
    world::{World, atomic, dialogue::Anchor, io_error, paths::Paths},
};
use script::{ACTS, Person, Shown, Stage};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

const DOMAIN: &str = "example.test";
const HOSTNAME: &str = "mail.example.test";
/// Its name, so that it never meets a real stack.
const PROJECT: &str = "mailctl-demo";
/// Where it is unless somebody says otherwise.
const FOLDER: &str = "/var/lib/mailctl-demo";
/// The file that says a folder is a demonstration's, and may be thrown away whole.
const MARK: &str = "mailctl-demo";
/// Free ports, and only for this host.
const STRUCTURE: &str = "[ports]\nsmtp = 0\nsubmissions = 0\nsubmission = 0\nimap = 0\nimaps = 0\npop3 = 0\n\
                         pop3s = 0\nmanagesieve = 0\nhttp = 0\nhttps = 0\n\n[network]\nlisten = \"127.0.0.1\"\n";

/// Start a throwaway mail server, show it working, take it down
///
/// Makes example.test with two users on free ports, sends and reads mail as mail programs do, and shows what is
/// refused. Exit status 0 means that all of it held.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Leave it up to try by hand
    #[arg(long, conflicts_with = "down")]
    keep: bool,
    /// Take down what --keep left, and remove its folder
    #[arg(long)]
    down: bool,
    /// Folder of the demonstration
    #[arg(long, value_name = "DIR", default_value = FOLDER)]
    folder: PathBuf,
    /// Tar of a Debian root file system to build the image on, where no registry can be reached
    #[arg(long, value_name = "FILE")]
    base_rootfs: Option<PathBuf>,
}

/// Shows it; `world` lends only the engine.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let folder = std::path::absolute(&args.folder).map_err(|e| io_error("use", &args.folder, &e))?;
    let world = World {
        paths: Paths::new(folder),
        project: PROJECT.to_owned(),
        environment: Vec::new(),
        engine: world.engine.clone(),
    };
    if args.down {
        let home = world.paths.home();
        let told = match home.exists() {
            true => "the demonstration is gone".to_owned(),
            false => format!("there is no demonstration in {}", home.display()),
        };
        clear(&world).await?;
        ui.say(told);
        return Ok(());
    }
    clear(&world).await?;
    let result = perform(&args, &world, ui).await;
    if args.keep {
        return result;
    }
    if result.is_ok() && ui.can_ask() {
        ui.pause("try it by hand now; Enter takes it down");
    }
    let cleared = clear(&world).await;
    result.and(cleared)
}

async fn perform(args: &Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    ui.say(format!("a mail server for {DOMAIN}, in {}", world.paths.home().display()));
    let (ann, bob) = people(world).await?;
    let mut aside = Ui::new(Manner { quiet: true, json: false, yes: true });
    up::run(up::Args { base_rootfs: args.base_rootfs.clone(), ..Default::default() }, world, &mut aside)
        .await?;
    let stage = stage(world, ann, bob).await?;

    let mut shown = Vec::new();
    for act in 0..ACTS.len() {
        let result = script::play(&stage, act).await;
        ui.say(format!(
            "{} {}\n      {}",
            if result.held { "[ok]" } else { "[NO]" },
            result.act,
            result.evidence
        ));
        shown.push(result);
    }
    settings_to_try(&stage, &shown, ui);
    if args.keep {
        ui.say(format!("take it down: {}", down_command(world.paths.home())));
    } else if !ui.can_ask() {
        ui.say("it is taken down now, for nobody is at a terminal; to keep it: mailctl demo --keep");
    }
    match shown.iter().filter(|result| !result.held).count() {
        0 => Ok(()),
        failed => {
            Err(Error::new(codes::DEMO_FAILED, format!("{failed} of {} acts did not hold", ACTS.len()))
                .hint("mailctl demo --keep")
                .hint(format!("mailctl --home {} --project {PROJECT} logs", world.paths.home().display())))
        }
    }
}

/// Settings, two mailboxes, key and certificate.
async fn people(world: &World) -> Result<(Person, Person), Error> {
    let malformed = |e: crate::mail::address::Malformed| Error::new(codes::BUG, e.to_string());
    let ann = Address::parse(&format!("ann@{DOMAIN}")).map_err(malformed)?;
    let bob = Address::parse(&format!("bob@{DOMAIN}")).map_err(malformed)?;
    atomic::folder(world.paths.home(), atomic::shared(0o755, 0))?;
    // First: whatever stops us now, the next run knows the folder for its own.
    atomic::write(&world.paths.home().join(MARK), b"", atomic::PRIVATE)?;
    atomic::write(&world.paths.mailctl_toml(), STRUCTURE.as_bytes(), atomic::PUBLIC)?;
    let admin = ann.to_string();
    let settings =
        example::settings_env(&[("DOMAIN", DOMAIN), ("HOSTNAME", HOSTNAME), ("ADMIN_EMAIL", &admin)]);
    let ann = Person { password: init::make(world, &settings).await?, address: ann };
    let bob = Person { password: user::add::create(world, &bob).await?, address: bob };
    Ok((ann, bob))
}

async fn stage(world: &World, sender: Person, recipient: Person) -> Result<Stage, Error> {
    let scene = Scene::look(world).await?;
    let port = |inside| port(&scene.observed.containers, inside);
    Ok(Stage {
        smtp: port(25)?,
        submission: port(587)?,
        imaps: port(993)?,
        pop3s: Some(port(995)?),
        hostname: Domain::parse(HOSTNAME).map_err(|e| Error::new(codes::BUG, e.to_string()))?,
        anchor: Anchor::from_pem(&world.paths.certificate(&Place::Host), HOSTNAME)?,
        sender,
        recipient,
        token: password::generate(rand::random()),
        signed: true,
    })
}

/// Where this host reaches a container's port.
pub(super) fn port(containers: &[Container], inside: u16) -> Result<SocketAddr, Error> {
    let published = containers.iter().flat_map(|found| &found.ports).find(|(port, _)| *port == inside);
    let (_, on) = published.ok_or_else(|| {
        Error::new(codes::STACK_DOWN, format!("port {inside} is not published")).hint("mailctl status")
    })?;
    let address = if on.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { on.ip() };
    Ok(SocketAddr::new(address, on.port()))
}

fn settings_to_try(stage: &Stage, shown: &[Shown], ui: &mut Ui) {
    let client = |person: &Person| serde_json::json!({"login": person.address, "password": person.password});
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "held": shown.iter().all(|result| result.held),
            "acts": shown,
            "ports": {
                "smtp": stage.smtp, "submission": stage.submission, "imaps": stage.imaps, "pop3s": stage.pop3s,
            },
            "users": [client(&stage.sender), client(&stage.recipient)],
        }));
        return;
    }
    ui.say("\nby hand, in a mail program on this host (its certificate is self-signed):");
    ui.data(format!("sending   {} STARTTLS", stage.submission));
    ui.data(format!("IMAP      {} TLS", stage.imaps));
    if let Some(pop3s) = stage.pop3s {
        ui.data(format!("POP3      {pop3s} TLS"));
    }
    for person in [&stage.sender, &stage.recipient] {
        ui.data(format!("login     {}  password {}", person.address, person.password));
    }
}

/// What takes down the demonstration in this folder.
fn down_command(folder: &Path) -> String {
    if folder == Path::new(FOLDER) {
        "mailctl demo --down".to_owned()
    } else {
        format!("mailctl demo --down --folder {}", folder.display())
    }
}

/// Takes down an earlier demonstration and throws its folder away; a folder without our mark is not touched.
async fn clear(world: &World) -> Result<(), Error> {
    let home = world.paths.home();
    if !home.exists() {
        return Ok(());
    }
    if !home.join(MARK).exists() {
        return Err(Error::new(codes::USAGE, format!("{} is not a demonstration's folder", home.display()))
            .hint("mailctl demo --folder DIR, with a DIR that does not exist"));
    }
    if world.paths.state().exists() {
        let mut aside = Ui::new(Manner { quiet: true, json: false, yes: true });
        down::run(down::Args { grace: 5 }, world, &mut aside).await?;
    }
    remove(home)
}

fn remove(home: &Path) -> Result<(), Error> {
    std::fs::remove_dir_all(home).map_err(|e| io_error("remove", home, &e))
}
