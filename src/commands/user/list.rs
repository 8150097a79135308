//! `mailctl user list`.

use crate::{
    commands::names,
    error::Error,
    ui::{Ui, listing::Listing},
    world::{World, mailboxes::Sizes},
};

/// List mailboxes with the size of their mail
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only addresses that match, like '*@example.org' or 'ann*'
    #[arg(value_name = "PATTERN", default_value = "*")]
    pattern: String,
    /// Leave out the sizes: nothing is read but the directory
    #[arg(long)]
    no_size: bool,
}

/// One mailbox for a machine.
#[derive(serde::Serialize)]
struct Row<'a> {
    address: &'a str,
    size: Option<u64>,
    quota: Option<u64>,
}

/// Prints them as they are read.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let store = world.store_to_read().await?;
    let mut sizes = (!args.no_size).then(|| Sizes::new(&world.paths));
    let pattern = args.pattern.to_lowercase();
    let mut listing = Listing::begin(ui);
    // The next page is read on SQLite's thread while this one is printed.
    let page = |after: &str| {
        let (store, pattern, after) = (store.clone(), pattern.clone(), after.to_owned());
        tokio::spawn(async move { store.mailboxes(&pattern, &after).await })
    };
    let mut coming = page("");
    loop {
        let page_here = names::joined_task(coming.await)?;
        let Some([last, _]) = page_here.rows().next_back() else { break };
        coming = page(last);
        if listing.closed() {
            break;
        }
        for [address, quota] in page_here.rows() {
            let size = sizes.as_mut().map(|sizes| sizes.of(address));
            let row = Row { address, size, quota: quota.parse().ok() };
            listing.row(&row, |line| {
                line.push_str(address);
                if let Some(octets) = size {
                    column(line, address.len(), &names::size(octets));
                }
            });
        }
    }
    listing.end(|ui| ui.say("no mailboxes match; add one with: mailctl user add ann@example.org"));
    Ok(())
}

/// The size in a column of its own, flush right. `format!` takes three times as long, and there can be a
/// hundred thousand of these.
fn column(line: &mut String, used: usize, size: &str) {
    const BLANKS: &str = "                                                   ";
    let blanks = BLANKS.len().saturating_sub(used + size.len()).max(1);
    line.push_str(&BLANKS[..blanks]);
    line.push_str(size);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stand_in_one_column_and_apart_from_the_longest_address() {
        for (address, size) in [("a@example.org", "0 B"), ("someone@example.org", "12.5 GiB")] {
            let mut line = address.to_owned();
            column(&mut line, address.len(), size);
            assert_eq!(line.len(), 51);
        }
        let mut line = "x".repeat(60);
        column(&mut line, 60, "0 B");
        assert_eq!(line, format!("{} 0 B", "x".repeat(60)));
    }
}
