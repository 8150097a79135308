//! What a container wrote, line by line.

use super::{Engine, failed};
use crate::error::Error;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::{Stream, StreamExt};

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When the engine took it (RFC 3339, sorts as text).
    pub at: String,
    /// The line, control characters escaped.
    pub text: String,
}

impl Engine {
    /// The last `tail` lines (`None` = all) since a Unix time, and with `follow` those to come.
    pub fn logs(
        &self,
        id: &str,
        follow: bool,
        since: Option<i32>,
        tail: Option<u32>,
    ) -> impl Stream<Item = Result<Line, Error>> + use<'_> {
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .follow(follow)
            .since(since.unwrap_or(0))
            .tail(&tail.map_or("all".to_owned(), |lines| lines.to_string()))
            .build();
        let mut lines = Lines::default();
        self.docker.logs(id, Some(options)).flat_map(move |part| {
            futures_util::stream::iter(match part {
                Ok(part) => lines.push(&part.into_bytes()).into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(failed("read a log", &error))],
            })
        })
    }

    /// The last lines of a container, for a message.
    pub async fn last_lines(&self, id: &str, count: u32) -> Vec<String> {
        let lines =
            self.logs(id, false, None, Some(count)).filter_map(async |line| line.ok().map(|line| line.text));
        tokio::time::timeout(std::time::Duration::from_secs(5), lines.collect()).await.unwrap_or_default()
    }
}

/// Pieces of output become lines; the engine cuts wherever it likes.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        self.rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            lines.push(parse(&line[..end]));
        }
        // No program here writes such a line; better cut than grow without end.
        if self.rest.len() > 64 * 1024 {
            lines.push(parse(&std::mem::take(&mut self.rest)));
        }
        lines
    }
}

/// The engine puts its time before the line. What a remote side chose must not drive the reader's terminal.
fn parse(line: &[u8]) -> Line {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\r');
    let (at, text) = text.split_once(' ').unwrap_or(("", text));
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    Line { at: at.to_owned(), text: clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_pieces() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"2026-01-01T00:00:00Z he"), []);
        let found = lines.push(b"llo\r\n2026-01-01T00:00:01Z x\x1b[2J\nrest");
        assert_eq!(found[0], Line { at: "2026-01-01T00:00:00Z".to_owned(), text: "hello".to_owned() });
        assert_eq!(found[1].text, "x\\u{1b}[2J");
    }
}
