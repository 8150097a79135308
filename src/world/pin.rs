//! Which image the stack runs, where that is not simply the one of this program: after an upgrade, and while or
//! after one that did not hold. One small file, replaced whole: it is the switch of `mailctl upgrade`.

use super::{World, atomic};
use crate::error::{Error, codes};
use serde::{Deserialize, Serialize};

/// What `mailctl up` keeps to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// For the mailctl with this image of its own; another program starts from its own image again.
    pub program: String,
    /// The image that runs.
    pub image: String,
    /// The one before, for `mailctl upgrade --back`.
    pub previous: Option<String>,
}

impl World {
    /// What is pinned, whichever program did it; nothing where there is no such note, or none that can be read.
    pub fn pin(&self) -> Option<Pin> {
        serde_json::from_slice(&std::fs::read(self.paths.pin()).ok()?).ok()
    }

    /// From here on every mailctl of this home runs this image.
    pub fn set_pin(&self, pin: &Pin) -> Result<(), Error> {
        let text = serde_json::to_vec(pin)
            .map_err(|e| Error::new(codes::BUG, "cannot write down which image runs").cause(e))?;
        atomic::write(&self.paths.pin(), &text, atomic::PRIVATE)
    }

    /// The tag of the image that the stack is to run.
    pub fn image_tag(&self) -> Result<String, Error> {
        let program = self.program_tag()?;
        match self.pin() {
            Some(pin) if pin.program == program => Ok(pin.image),
            _ => Ok(program),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::paths::Paths;

    #[test]
    fn a_pin_holds_for_the_program_that_made_it() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("state")).unwrap();
        let paths = Paths::new(home.path().to_owned());
        let world = World { paths, project: "t".to_owned(), environment: vec![], engine: None };
        let program = world.program_tag().unwrap();
        assert_eq!(world.image_tag().unwrap(), program);
        let pin = Pin { program: program.clone(), image: "mailctl:x".to_owned(), previous: None };
        world.set_pin(&pin).unwrap();
        assert_eq!(world.image_tag().unwrap(), "mailctl:x");
        world.set_pin(&Pin { program: "mailctl:other".to_owned(), ..pin }).unwrap();
        assert_eq!(world.image_tag().unwrap(), program);
        std::fs::write(world.paths.pin(), "{").unwrap();
        assert_eq!(world.image_tag().unwrap(), program);
    }
}
