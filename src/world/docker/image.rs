//! The one image: looked up, built by the classic builder, its base pulled or imported.

use super::{Engine, absent, call, context, failed, run::Job};
use crate::{
    error::{Error, codes},
    plan::{recipe, spec::JOB_IMAGE},
    world::io_error,
};
use bollard::{
    models::CreateImageInfo,
    query_parameters::{BuildImageOptionsBuilder, CreateImageOptionsBuilder},
};
use futures_util::{Stream, StreamExt, TryStreamExt};
use std::{collections::HashMap, fs::File, path::Path, time::Duration};

/// Without a word from the engine for so long, a pull or a build is dead.
const SILENCE: Duration = Duration::from_secs(300);
/// Lines of a failing step that are shown.
const LAST_LINES: usize = 15;
/// How the builder's own lines begin, between those of the step.
const BUILDER: [&str; 2] = [" --->", "Removing intermediate container "];

/// What an image build reports while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Octets of the base that have come, of all that are known of.
    Base {
        /// Come.
        done: u64,
        /// Known.
        total: u64,
    },
    /// Step `step` of `steps` begins.
    Step {
        /// Which.
        step: u64,
        /// Of how many.
        steps: u64,
        /// What it does.
        text: String,
    },
    /// A line of output.
    Line(String),
}

/// An image that is there.
#[derive(Clone, Debug)]
pub struct Image {
    /// The engine's id.
    pub id: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// Octets.
    pub size: u64,
    /// When it was made.
    pub created: String,
}

impl Image {
    /// Package versions recorded in it, sorted by name.
    pub fn versions(&self) -> Vec<(&str, &str)> {
        let mut found: Vec<_> = self
            .labels
            .iter()
            .filter_map(|(key, version)| Some((key.strip_prefix(recipe::LABEL_PACKAGE)?, version.as_str())))
            .collect();
        found.sort_unstable();
        found
    }
}

impl Engine {
    /// The image with this tag or id.
    pub async fn image(&self, name: &str) -> Result<Option<Image>, Error> {
        let found = call(&format!("inspect image {name}"), async {
            let result = self.docker.inspect_image(name).await;
            if absent(&result) { Ok(None) } else { result.map(Some) }
        })
        .await?;
        Ok(found.map(|found| Image {
            id: found.id.unwrap_or_default(),
            labels: found.config.and_then(|config| config.labels).unwrap_or_default(),
            size: found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            created: found.created.map(|at| at.to_string()).unwrap_or_default(),
        }))
    }

    /// Gets the base image from its registry, newer than the one that is there or the same.
    pub async fn pull_base(&self, report: &mut dyn FnMut(Progress)) -> Result<(), Error> {
        self.pull(recipe::BASE, report).await.map_err(|error| {
            error
                .hint("mmdebstrap --variant=minbase trixie rootfs.tar")
                .hint("mailctl image build --base-rootfs rootfs.tar")
        })
    }

    /// Gets an image from the registry that its name tells, without a login.
    pub async fn pull(&self, name: &str, report: &mut dyn FnMut(Progress)) -> Result<(), Error> {
        // A colon before a slash is a port's.
        let (image, tag) = match name.rsplit_once(':') {
            Some((image, tag)) if !tag.contains('/') => (image, tag),
            _ => (name, "latest"),
        };
        let options = CreateImageOptionsBuilder::default().from_image(image).tag(tag).build();
        let mut layers: HashMap<String, (u64, u64)> = HashMap::new();
        let stream = self.docker.create_image(Some(options), None, None);
        let result = each(stream, |item: CreateImageInfo| {
            let number = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
            if let (Some(layer), Some(detail)) = (item.id, item.progress_detail)
                && let (Some(done), Some(total)) = (number(detail.current), number(detail.total))
            {
                layers.insert(layer, (done, total));
                let sum = layers.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
                report(Progress::Base { done: sum.0, total: sum.1 });
            }
        })
        .await;
        result.map_err(|error| {
            Error::new(codes::IMAGE_BASE, format!("cannot pull {name}")).cause(error.causes().join(": "))
        })
    }

    /// Makes the base image from a root file system in a tar.
    pub async fn import_base(&self, rootfs: &Path, report: &mut dyn FnMut(Progress)) -> Result<(), Error> {
        let cannot = |e: &std::io::Error| io_error("read", rootfs, e);
        let file = tokio::fs::File::open(rootfs).await.map_err(|e| cannot(&e))?;
        let total = file.metadata().await.map_err(|e| cannot(&e))?.len();
        let (repo, tag) = recipe::BASE.split_once(':').unwrap_or((recipe::BASE, "latest"));
        let options = CreateImageOptionsBuilder::default().from_src("-").repo(repo).tag(tag).build();
        let pieces = futures_util::stream::try_unfold(file, async |mut file| {
            use tokio::io::AsyncReadExt;
            let mut piece = vec![0; 256 * 1024];
            let count = file.read(&mut piece).await?;
            piece.truncate(count);
            Ok::<_, std::io::Error>((count > 0).then_some((piece.into(), file)))
        });
        report(Progress::Line(format!(
            "importing {} ({} MB) as {}",
            rootfs.display(),
            total / 1_000_000,
            recipe::BASE
        )));
        let stream = self.docker.create_image(Some(options), Some(bollard::body_try_stream(pieces)), None);
        each(stream, |_: CreateImageInfo| {}).await.map_err(|error| {
            Error::new(codes::IMAGE_BASE, format!("cannot import {}", rootfs.display()))
                .cause(error.causes().join(": "))
        })
    }

    /// Builds the image `tag` with `program` in it; runs it once; records what is in it. The tag is given last,
    /// so an image that has it is finished.
    pub async fn build(
        &self,
        tag: &str,
        program: &Path,
        no_cache: bool,
        report: &mut dyn FnMut(Progress),
    ) -> Result<Image, Error> {
        let file = File::open(program).map_err(|e| io_error("read", program, &e))?;
        // Packages come by the host's own network: the engine's bridge takes packets of 1500 octets also where the way
        // out takes fewer (tunnels, many clouds), and then mirrors seem to hang.
        let options = BuildImageOptionsBuilder::default();
        let options = options.networkmode("host").rm(true).forcerm(true).nocache(no_cache).build();
        let body = bollard::body_try_stream(context::stream(file).map_ok(Into::into));
        let built = self.follow(self.docker.build_image(options, None, Some(body)), report).await?;
        let listing = self.try_out(&built).await?;
        // One instruction: each would be a commit of its own.
        let labels: String = recipe::versions(&listing)
            .into_iter()
            .map(|(name, version)| format!(" \"{}{name}\"=\"{version}\"", recipe::LABEL_PACKAGE))
            .collect();
        let text = format!("FROM {built}\nLABEL \"{}\"=\"{tag}\"{labels}\n", recipe::LABEL_RECIPE);
        let dockerfile = context::of_dockerfile(&text)
            .map_err(|e| Error::new(codes::IO, "cannot make a build context").cause(e))?;
        let options = BuildImageOptionsBuilder::default().t(tag).rm(true).forcerm(true).build();
        let stream = self.docker.build_image(options, None, Some(bollard::body_full(dockerfile.into())));
        self.follow(stream, &mut |_| {}).await?;
        self.image(tag).await?.ok_or_else(|| {
            Error::new(codes::IMAGE_BUILD, format!("image {tag} is not there after its build"))
                .hint("mailctl image build")
        })
    }

    /// Our program must run among the image's libraries; it prints the packages.
    async fn try_out(&self, image: &str) -> Result<String, Error> {
        let job = Job {
            label: JOB_IMAGE,
            image: image.to_owned(),
            command: vec!["mailctl".to_owned(), "version".to_owned(), "--packages".to_owned()],
            hostname: "image".to_owned(),
            ..Default::default()
        };
        let outcome = self.run(&job, Duration::from_secs(30)).await?;
        if outcome.status == 0 {
            return Ok(outcome.output);
        }
        Err(Error::new(codes::IMAGE_BUILD, "mailctl does not run in the image that was built")
            .cause(outcome.output.trim())
            .hint("build mailctl on Debian stable or older: cargo build --release"))
    }

    /// Reads a build to its end; the result is the image's id.
    async fn follow(
        &self,
        stream: impl Stream<Item = Result<bollard::models::BuildInfo, bollard::errors::Error>>,
        report: &mut dyn FnMut(Progress),
    ) -> Result<String, Error> {
        let mut output = Output::default();
        let mut image = None;
        let result = each(stream, |item| {
            if let Some(aux) = item.aux.and_then(|aux| aux.id) {
                image = Some(aux);
            }
            for event in output.push(item.stream.as_deref().unwrap_or_default()) {
                report(event);
            }
        })
        .await;
        result.map_err(|error| output.failure(&error))?;
        image.ok_or_else(|| {
            Error::new(codes::IMAGE_BUILD, "the engine built no image").hint("mailctl image build")
        })
    }
}

/// Every item of a stream, with a limit on silence.
async fn each<T>(
    stream: impl Stream<Item = Result<T, bollard::errors::Error>>,
    mut take: impl FnMut(T),
) -> Result<(), Error> {
    let mut stream = std::pin::pin!(stream);
    loop {
        match tokio::time::timeout(SILENCE, stream.next()).await {
            Ok(Some(Ok(item))) => take(item),
            Ok(Some(Err(error))) => return Err(failed("build the image", &error)),
            Ok(None) => return Ok(()),
            Err(_) => {
                return Err(Error::new(codes::ENGINE_HANGS, "cannot build the image")
                    .cause(format!("no word from the engine for {} s", SILENCE.as_secs())));
            }
        }
    }
}

/// The builder's output, cut into lines; remembers the last ones of the step that runs.
#[derive(Default)]
struct Output {
    rest: String,
    step: String,
    last: std::collections::VecDeque<String>,
}

impl Output {
    fn push(&mut self, text: &str) -> Vec<Progress> {
        self.rest.push_str(text);
        let mut events = Vec::new();
        while let Some(end) = self.rest.find('\n') {
            let line: String = self.rest.drain(..=end).collect();
            let line = strip_colour(line.trim_end());
            if let Some((step, steps, text)) = step_line(&line) {
                self.step = text.chars().take(100).collect();
                self.last.clear();
                events.push(Progress::Step { step, steps, text: self.step.clone() });
            } else if !line.trim().is_empty() && !BUILDER.iter().any(|own| line.starts_with(own)) {
                self.last.push_back(line.clone());
                if self.last.len() > LAST_LINES {
                    self.last.pop_front();
                }
                events.push(Progress::Line(line));
            }
        }
        events
    }

    fn failure(&self, error: &Error) -> Error {
        let mut failure = Error::new(codes::IMAGE_BUILD, "the image build failed");
        if !self.step.is_empty() {
            failure = failure.cause(format!("in the step: {}", self.step));
        }
        failure = self.last.iter().fold(failure, |failure, line| failure.cause(line));
        failure.cause(without_command(&error.causes().join(": "))).hint("mailctl image build")
    }
}

/// `The command '…' returned a non-zero code: 100` without the command, which can be a page and was named as the step.
fn without_command(cause: &str) -> String {
    match cause.strip_prefix("The command ").and_then(|rest| rest.rsplit_once("' ")) {
        Some((_, end)) => format!("its command {end}"),
        None => cause.to_owned(),
    }
}

/// `Step 3/8 : RUN …`
fn step_line(line: &str) -> Option<(u64, u64, &str)> {
    let (counts, text) = line.strip_prefix("Step ")?.split_once(" : ")?;
    let (step, steps) = counts.split_once('/')?;
    Some((step.parse().ok()?, steps.parse().ok()?, text))
}

/// The classic builder colours stderr; control characters are not for a person's terminal.
fn strip_colour(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else if !c.is_control() || c == '\t' {
            clean.push(c);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builder_output_becomes_steps_and_lines() {
        let mut output = Output::default();
        assert_eq!(output.push("Step 2/5 : RUN "), []);
        let events = output.push("apt-get\n ---> Running in 1\n\u{1b}[91mE: no\n\u{1b}[0m");
        assert_eq!(
            events,
            [
                Progress::Step { step: 2, steps: 5, text: "RUN apt-get".to_owned() },
                Progress::Line("E: no".to_owned())
            ]
        );
        assert_eq!(output.push("Removing intermediate container 2dd8\n"), []);
        // As engine 20.10 says it of a package that does not exist.
        let said = "The command '/bin/sh -c printf 'x' ' && apt-get' returned a non-zero code: 100";
        let failure = output.failure(&Error::new(codes::ENGINE_REFUSED, "x").cause(said));
        let last = "its command returned a non-zero code: 100";
        assert_eq!(failure.causes(), ["in the step: RUN apt-get", "E: no", last]);
        let failure = output.failure(&Error::new(codes::ENGINE_REFUSED, "x").cause("no space left"));
        assert_eq!(failure.causes().last().map(String::as_str), Some("no space left"));
    }
}
