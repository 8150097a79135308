//! The recipe of the one image, and the tag that it gets together with our own program.

use sha2::{Digest, Sha256};

/// The image everything is built on.
pub const BASE: &str = "debian:trixie-slim";
/// Repository of our images.
pub const REPOSITORY: &str = "mailctl";
/// Labels with the version of a package: this and the package's name.
pub const LABEL_PACKAGE: &str = "org.mailctl.package.";
/// Label of a finished image: its tag's digest.
pub const LABEL_RECIPE: &str = "org.mailctl.recipe";
/// File in the image with a line `name version` per package.
pub const PACKAGES: &str = "/usr/share/mailctl/packages";

/// Files of the build context, beside our program.
pub const FILES: &[(&str, &[u8])] = &[
    ("Dockerfile", include_bytes!("../../templates/image/Dockerfile")),
    ("ffdhe2048.pem", include_bytes!("../../templates/image/ffdhe2048.pem")),
];

/// Packages whose versions are recorded as labels.
pub const PACKAGES_SHOWN: &[&str] = &["postfix", "dovecot-core", "dovecot-sieve", "opendkim", "libssl3t64"];

/// `mailctl:<12 hex digits>` over the recipe and the program's digest: another recipe or another program is
/// another image, and an image with this tag is finished.
pub fn tag(program: &[u8; 32]) -> String {
    let mut hash = Sha256::new();
    for (name, content) in FILES {
        hash.update(format!("{name}\0{}\0", content.len()));
        hash.update(content);
    }
    hash.update(program);
    let digest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{REPOSITORY}:{digest}")
}

/// The tag of one more image of the program `program` (a [`tag`]), for one stack's upgrade.
pub fn upgrade_tag(program: &str, project: &str, stamp: &str) -> String {
    format!("{program}-{project}-{}", stamp.to_ascii_lowercase())
}

/// Whether a tag is an [`upgrade_tag`] of this project, of whichever program.
pub fn is_upgrade_of(project: &str, tag: &str) -> bool {
    let name = tag.strip_prefix(REPOSITORY).and_then(|rest| rest.strip_prefix(':'));
    let rest = name.and_then(|name| name.get(12..)).and_then(|rest| rest.strip_prefix('-'));
    let stamp = rest.and_then(|rest| rest.strip_prefix(project)).and_then(|rest| rest.strip_prefix('-'));
    stamp.is_some_and(|stamp| stamp.len() == 16 && !stamp.contains('-'))
}

/// The versions of [`PACKAGES_SHOWN`] in a [`PACKAGES`] listing.
pub fn versions(listing: &str) -> Vec<(String, String)> {
    listing
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| PACKAGES_SHOWN.contains(name))
        .map(|(name, version)| (name.to_owned(), version.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_follows_the_program() {
        assert_eq!(tag(&[0; 32]), tag(&[0; 32]));
        assert_ne!(tag(&[0; 32]), tag(&[1; 32]));
        assert_eq!(tag(&[0; 32]).len(), "mailctl:".len() + 12);
    }

    #[test]
    fn images_of_upgrades_are_told_apart_by_project() {
        let one = upgrade_tag("mailctl:0123456789ab", "mail-2", "20261121T153000Z");
        assert_eq!(one, "mailctl:0123456789ab-mail-2-20261121t153000z");
        assert!(is_upgrade_of("mail-2", &one));
        for (project, tag) in
            [("mail", one.as_str()), ("2", &one), ("x", "mailctl:0123456789ab"), ("x", "debian:x")]
        {
            assert!(!is_upgrade_of(project, tag), "{project} {tag}");
        }
    }

    #[test]
    fn only_the_packages_that_matter_are_shown() {
        let listing = "adduser 3.152\npostfix 3.10.13-0+deb13u1\n";
        assert_eq!(versions(listing), [("postfix".to_owned(), "3.10.13-0+deb13u1".to_owned())]);
    }
}
