//! The text format of Prometheus, version 0.0.4: families of samples.

use std::fmt::Write;

/// Its media type.
pub const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a figure may do.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Only grow.
    Counter,
    /// Go up and down.
    Gauge,
    /// Count by size: buckets, sum and count.
    Histogram,
}

/// A page of figures.
#[derive(Debug, Default)]
pub struct Page(String);

/// A figure, of which there can be several with labels.
pub struct Family<'a> {
    page: &'a mut String,
    name: String,
}

impl Page {
    /// Opens a figure; its name begins with `mailctl_`.
    pub fn family(&mut self, name: &str, kind: Kind, about: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let name = format!("mailctl_{name}");
        self.0.push_str(&format!("# HELP {name} {about}\n# TYPE {name} {kind}\n"));
        Family { page: &mut self.0, name }
    }

    /// All of it.
    pub fn text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// One value.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: u64) -> &mut Self {
        self.part("", labels, value)
    }

    /// One value of a figure that has parts, as histograms have.
    pub fn part(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        value: impl std::fmt::Display,
    ) -> &mut Self {
        self.page.push_str(&self.name);
        self.page.push_str(suffix);
        let pairs: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        if !pairs.is_empty() {
            self.page.push_str(&format!("{{{}}}", pairs.join(",")));
        }
        // A String takes everything.
        let _ = writeln!(self.page, " {value}");
        self
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let mut page = Page::default();
        page.family("up", Kind::Gauge, "Whether.").sample(&[], 1);
        page.family("x_total", Kind::Counter, "How many.")
            .sample(&[("a", "b"), ("c", "\"\\\n")], 2)
            .sample(&[("a", "d")], 3);
        assert_eq!(
            page.text(),
            "# HELP mailctl_up Whether.\n# TYPE mailctl_up gauge\nmailctl_up 1\n\
             # HELP mailctl_x_total How many.\n# TYPE mailctl_x_total counter\n\
             mailctl_x_total{a=\"b\",c=\"\\\"\\\\\\n\"} 2\nmailctl_x_total{a=\"d\"} 3\n"
        );
    }
}
