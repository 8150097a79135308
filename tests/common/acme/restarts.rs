//! Renewals by the real program, which is killed (-9) again and again: what a restart costs the authority.

use super::{Manner, Trouble, renewals::belongs, scene::Scene};
use mailctl::world::paths::Paths;
use rand::seq::IndexedRandom;
use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Everything that a renewal asks, by the begin of its path.
const PATHS: [&str; 8] =
    ["/dir", "/nonce-plz", "/order-plz", "/authZ", "/chalZ", "/my-order", "/finalize-order", "/certZ"];

/// What changes the disk for good, and what makes it last.
pub const DURABLE: &str = "rename,renameat,renameat2,symlink,symlinkat,unlink,unlinkat,fsync,fdatasync";

/// What came of it.
#[derive(Debug, Default)]
pub struct Figures {
    /// How often the program was killed.
    pub kills: usize,
    /// Renewals that were brought to their end.
    pub renewed: usize,
    /// Orders that the authority took beyond one for each of them.
    pub extra: usize,
    /// Accounts that the authority made.
    pub accounts: usize,
    /// Kills while a request was under way, by where: never asked, or answered and not heard.
    pub under_way: usize,
}

/// When it is killed.
enum Moment {
    /// After so long.
    Time(Duration),
    /// While the authority is asked this, and never hears it (`Deaf`) or has done it (`Hang`).
    Request(Trouble, &'static str),
    /// At a step that changes the disk, the one of this number.
    Step(u32),
}

/// Renews until the program was killed `kills` times; half of the nonces are refused besides.
pub fn restarts(kills: usize) -> Figures {
    let scene = Scene::in_zone("mail A {web}\n", &Manner { bad_nonces: 50, ..Manner::default() }, "");
    let armed: Arc<Mutex<Option<(Trouble, &'static str)>>> = Arc::default();
    let of_proxy = Arc::clone(&armed);
    scene.pebble.trouble(move |path| {
        let mut armed = of_proxy.lock().unwrap();
        match *armed {
            Some((trouble, at)) if path.starts_with(at) => {
                *armed = None;
                Some(trouble)
            }
            _ => None,
        }
    });
    let mut figures = Figures::default();
    let began = Instant::now();
    scene.home.ok(&["cert", "issue"]);
    let whole = began.elapsed();
    let paths = Paths::new(scene.home.path().to_owned());
    while figures.kills < kills {
        scene.later(8 * 86_400);
        scene.due();
        let (before, serial) = (scene.pebble.orders(), scene.shown()["certificate"]["serial"].clone());
        loop {
            let moment = drawn(whole);
            *armed.lock().unwrap() = match &moment {
                Moment::Request(trouble, path) if figures.kills < kills => Some((*trouble, path)),
                _ => None,
            };
            let ended = figures.kills >= kills || end(&scene, &moment, &armed, &mut figures);
            *armed.lock().unwrap() = None;
            scene.pebble.quiet();
            assert!(belongs(&paths, true), "the key is another's");
            if ended {
                break;
            }
            figures.kills += 1;
        }
        scene.home.ok(&["cert", "renew", "--if-due"]);
        scene.served("host.pem");
        assert_ne!(scene.shown()["certificate"]["serial"], serial);
        assert_eq!(scene.challenges(), 0);
        assert_eq!(scene.pending(), 0);
        figures.renewed += 1;
        let orders = scene.pebble.orders() - before;
        assert!(orders >= 1, "a renewal without an order");
        figures.extra += orders - 1;
    }
    figures.accounts = scene.pebble.accounts();
    figures
}

fn drawn(whole: Duration) -> Moment {
    let mut chance = rand::rng();
    match rand::random::<u32>() % 4 {
        0 => Moment::Time(whole.mul_f64(rand::random())),
        1 => Moment::Request(Trouble::Deaf, PATHS.choose(&mut chance).unwrap()),
        2 => Moment::Request(Trouble::Hang, PATHS.choose(&mut chance).unwrap()),
        _ => Moment::Step(1 + rand::random::<u32>() % 60),
    }
}

/// Runs `cert renew`, and kills it then; whether it ended before.
fn end(
    scene: &Scene,
    moment: &Moment,
    armed: &Mutex<Option<(Trouble, &'static str)>>,
    figures: &mut Figures,
) -> bool {
    let words = ["cert", "renew", "--if-due"];
    let mut command = match moment {
        Moment::Step(number) => at_step(scene, &words, DURABLE, *number),
        Moment::Time(_) | Moment::Request(..) => scene.home.command(&words),
    };
    let before = if let Moment::Request(_, path) = moment { scene.pebble.asked(path) } else { 0 };
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    match moment {
        Moment::Step(_) => return child.wait().unwrap().success(),
        Moment::Time(after) => {
            // The delay is the moment, not a wait for something.
            std::thread::sleep(*after);
        }
        Moment::Request(_, path) => {
            let until = Instant::now() + Duration::from_secs(60);
            let held = || armed.lock().unwrap().is_none() && scene.pebble.asked(path) > before;
            while !held() && child.try_wait().unwrap().is_none() {
                assert!(Instant::now() < until, "{path}: {}", scene.pebble.log());
                std::thread::sleep(Duration::from_millis(1));
            }
            figures.under_way += usize::from(child.try_wait().unwrap().is_none());
        }
    }
    killed(&mut child)
}

/// Whether it ended well before.
fn killed(child: &mut Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().success()
}

/// The program, to be killed at the step of this number among these system calls.
pub fn at_step(scene: &Scene, words: &[&str], calls: &str, number: u32) -> Command {
    let traced = scene.home.command(words);
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e"])
        .arg(format!("inject={calls}:signal=SIGKILL:when={number}"))
        .arg(traced.get_program())
        .args(traced.get_args())
        .env_clear()
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .stdin(Stdio::null());
    command
}
