//! What the distribution has newer than the image: apt's answer, read.

use serde::{Deserialize, Serialize};

/// A package with a newer version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// Its name.
    pub package: String,
    /// The version in the image.
    pub installed: String,
    /// The version to be had.
    pub available: String,
}

/// Reads the lines `Inst NAME [OLD] (NEW ORIGIN [ARCH])` of `apt-get --simulate` (apt-get(8)). Packages that
/// would only come along with others have no OLD and are left out.
pub fn upgrades(listing: &str) -> Vec<Upgrade> {
    let mut found: Vec<Upgrade> = listing.lines().filter_map(upgrade).collect();
    found.sort_by(|a, b| a.package.cmp(&b.package));
    found.dedup();
    found
}

fn upgrade(line: &str) -> Option<Upgrade> {
    let (package, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
    let (installed, rest) = rest.strip_prefix('[')?.split_once("] (")?;
    let available = rest.split([' ', ')']).next().filter(|version| !version.is_empty())?;
    Some(Upgrade {
        package: package.to_owned(),
        installed: installed.to_owned(),
        available: available.to_owned(),
    })
}

/// What the last check found, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Seconds since 1970.
    pub at: i64,
    /// The image that was checked, by the engine's id.
    pub image: String,
    /// What is newer.
    pub upgrades: Vec<Upgrade>,
}

impl Checked {
    /// Whether it still tells of `image`, and is not older than `interval` seconds at `now`. A check from the
    /// future (the clock was set back) tells nothing.
    pub fn holds(&self, image: &str, now: i64, interval: u64) -> bool {
        let age = u64::try_from(now.saturating_sub(self.at));
        self.image == image && age.is_ok_and(|age| age < interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S0-26 (UPDATE_CHECK): apt's own words are understood.
    #[test]
    fn only_what_is_installed_and_older_counts() {
        let listing = "NOTE: This is only a simulation!\n\
            Inst postfix [3.10.13-0+deb13u1] (3.10.14-0+deb13u1 Debian:13.4/stable [amd64])\n\
            Inst libssl3t64 [3.5.7-1~deb13u3] (3.5.7-1~deb13u4 Debian-Security:13/stable-security [amd64]) []\n\
            Inst libnew1 (1.0 Debian:13.4/stable [amd64])\n\
            Conf postfix (3.10.14-0+deb13u1 Debian:13.4/stable [amd64])\n\
            Inst broken [1.0 (\nInst\nInst x [] ()\n";
        let found = upgrades(listing);
        let names: Vec<_> =
            found.iter().map(|found| (&*found.package, &*found.installed, &*found.available)).collect();
        assert_eq!(
            names,
            [
                ("libssl3t64", "3.5.7-1~deb13u3", "3.5.7-1~deb13u4"),
                ("postfix", "3.10.13-0+deb13u1", "3.10.14-0+deb13u1")
            ]
        );
    }

    #[test]
    fn a_check_holds_for_its_image_and_its_time() {
        let checked = Checked { at: 1000, image: "a".to_owned(), upgrades: vec![] };
        for (image, now, holds) in
            [("a", 1000, true), ("a", 1099, true), ("a", 1100, false), ("a", 999, false), ("b", 1001, false)]
        {
            assert_eq!(checked.holds(image, now, 100), holds, "{image} {now}");
        }
    }
}
