//! `mailctl relay explain`.

use crate::{
    error::{Error, codes},
    mail::advice::{Outlook, advise},
    ui::Ui,
};

/// Tell cause and remedy of what another mail server answered
///
/// TEXT is the answer as the log, a delivery report or a program shows it, in quotes: "554 5.7.1 Relay access denied". What
/// failed before there was an answer is known too: "Connection refused".
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The answer, in quotes or not
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
}

/// Looks it up; nothing is asked of anybody.
pub fn run(args: &Args, ui: &mut Ui) -> Result<(), Error> {
    let text = args.text.join(" ");
    let advice = advise(&text).ok_or_else(|| {
        Error::new(codes::ANSWER_UNKNOWN, "nothing is known of this answer")
            .cause("it has neither a reply code nor words that are known")
            .hint("give it whole, with its code: mailctl relay explain \"550 5.7.1 …\"")
            .hint("mailctl logs postfix")
    })?;
    let steps = advice.steps(&text);
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "name": advice.name,
            "cause": advice.cause,
            "fix": steps.iter().map(|step| ui.typed(step)).collect::<Vec<_>>(),
            "outlook": advice.outlook,
        }));
        return Ok(());
    }
    ui.data(format!("cause: {}", advice.cause));
    for step in steps {
        let step = ui.typed(&step);
        ui.data(format!("do:    {step}"));
    }
    ui.data(format!(
        "mail:  {}",
        match advice.outlook {
            Outlook::Passes => "is tried again, and mostly that is enough",
            Outlook::Waits => "waits in the queue until this is mended, five days at most",
            Outlook::Lost => "went back to its sender, who has to send it again",
        }
    ));
    Ok(())
}
