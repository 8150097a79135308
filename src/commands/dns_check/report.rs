//! The report for people: a block per host and domain, a line per finding, and what to do.

use crate::{
    mail::{
        dns::Name,
        finding::{Finding, Verdict},
        provider::Provider,
    },
    ui::{Page, Tone},
};
use std::collections::HashSet;

/// Findings about one host or domain.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Section {
    /// Its name.
    pub about: String,
    /// `host`, `served` or `foreign`.
    pub role: Role,
    /// The worst of its findings.
    pub verdict: Verdict,
    /// In the order of the subjects.
    pub findings: Vec<Finding>,
}

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// This server.
    Host,
    /// A domain that it serves.
    Served,
    /// Another domain, that is looked at and compared with nothing.
    Foreign,
}

/// How many findings stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// As they should be.
    pub ok: usize,
    /// Could be better.
    pub warning: usize,
    /// Without an answer.
    pub could_not_check: usize,
    /// Wrong.
    pub error: usize,
}

impl Counts {
    /// Of all sections.
    pub fn of(sections: &[Section]) -> Self {
        let mut counts = Self::default();
        for finding in sections.iter().flat_map(|section| &section.findings) {
            *match finding.verdict {
                Verdict::Ok => &mut counts.ok,
                Verdict::Warning => &mut counts.warning,
                Verdict::CouldNotCheck => &mut counts.could_not_check,
                Verdict::Error => &mut counts.error,
            } += 1;
        }
        counts
    }

    /// `12 ok, 1 warning, 2 errors`.
    pub fn line(self) -> String {
        let many = |n: usize, word: &str| match n {
            0 => None,
            1 => Some(format!("1 {word}")),
            n => Some(format!("{n} {word}s")),
        };
        let parts = [
            Some(format!("{} ok", self.ok)),
            many(self.warning, "warning"),
            many(self.error, "error"),
            (self.could_not_check > 0).then(|| format!("{} could not be checked", self.could_not_check)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// How to lay it out.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Where it goes.
    pub page: Page,
    /// Details also of what is right.
    pub all: bool,
    /// Whose form the records are for.
    pub at: Option<&'static Provider>,
}

/// The whole report.
pub fn text(sections: &[Section], style: Style) -> String {
    let mut text = String::new();
    let mut told = HashSet::new();
    for section in sections {
        let role = match section.role {
            Role::Host => "this server",
            Role::Served => "served here",
            Role::Foreign => "not served here: looked at, compared with nothing",
        };
        let title = style.page.toned(Tone::Title, &section.about);
        text.push_str(&format!("{title} ({role})\n"));
        section.findings.iter().for_each(|finding| lines(finding, section, style, &mut told, &mut text));
        text.push('\n');
    }
    text.push_str(&format!("{}\n", Counts::of(sections).line()));
    text
}

/// Columns before the text of a finding, and before that of a detail.
const INDENT: usize = 17;

fn lines<'a>(
    finding: &'a Finding,
    section: &Section,
    style: Style,
    told: &mut HashSet<&'a str>,
    text: &mut String,
) {
    let (glyph, plain, tone) = match finding.verdict {
        Verdict::Ok => ("✓", "+", Tone::Good),
        Verdict::Warning => ("▲", "!", Tone::Fair),
        Verdict::CouldNotCheck => ("?", "?", Tone::Open),
        Verdict::Error => ("✗", "x", Tone::Bad),
    };
    let glyph = style.page.toned(tone, if style.page.unicode { glyph } else { plain });
    let verdict = finding.verdict.to_string();
    let summary = format!("{verdict}: {}", finding.summary);
    let mut wrapped = wrap(&summary, style.page.width.saturating_sub(INDENT)).into_iter();
    let first = wrapped.next().unwrap_or_default();
    let first = match first.strip_prefix(verdict.as_str()) {
        Some(rest) => format!("{}{rest}", style.page.toned(tone, &verdict)),
        None => first,
    };
    text.push_str(&format!("  {glyph} {:<12} {first}\n", finding.subject.name()));
    wrapped.for_each(|line| text.push_str(&format!("{:INDENT$}{line}\n", "")));
    if finding.verdict == Verdict::Ok && !style.all {
        return;
    }
    let found: Vec<String> = finding.found.iter().map(|line| cut(line, style)).collect();
    if finding.found != [finding.summary.as_str()] {
        detail("found", &found, text);
    }
    // Never broken: what stands here is to be copied.
    detail("expected", &finding.expected, text);
    if let (Some(provider), Ok(zone)) = (style.at, Name::parse(&section.about)) {
        for entry in &finding.publish {
            detail(&format!("at {}", provider.name), &provider.form(entry, &zone), text);
        }
    }
    let width = style.page.width.saturating_sub(INDENT);
    // What to do about silence is always the same: once is enough.
    let silent = finding.verdict == Verdict::CouldNotCheck;
    let remedy = finding.remedy.iter().filter(|line| told.insert(line) || !silent);
    let remedy: Vec<String> = remedy.flat_map(|line| wrap(line, width)).collect();
    detail("do", &remedy, text);
    detail("code", &[finding.code.to_owned()], text);
}

fn detail(label: &str, lines: &[String], text: &mut String) {
    // A long label has a line of its own.
    let short = label.len() < INDENT - 6;
    if !short {
        text.push_str(&format!("      {label}\n"));
    }
    for (index, line) in lines.iter().enumerate() {
        let label = if index == 0 && short { label } else { "" };
        text.push_str(format!("      {label:<10} {line}").trim_end());
        text.push('\n');
    }
}

/// What DNS says may be long, and need not be copied: the middle of it is left out on a terminal.
fn cut(line: &str, style: Style) -> String {
    let most = style.page.width.saturating_sub(INDENT);
    let letters: Vec<char> = line.chars().collect();
    if !style.page.terminal || letters.len() <= most || most < 20 {
        return line.to_owned();
    }
    let gap = if style.page.unicode { "…" } else { "..." };
    let room = most - gap.chars().count();
    let head = room * 2 / 3;
    let tail = room - head;
    let join = |part: &[char]| part.iter().collect::<String>();
    format!("{}{gap}{}", join(&letters[..head]), join(&letters[letters.len() - tail..]))
}

/// Lines of at most `width` columns; a word that is longer stands alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
