//! `mailctl daemon`: the hot path. It never reaches the engine.
