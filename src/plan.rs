//! What should run, and the steps from what runs to that. Values only: nothing here acts.
