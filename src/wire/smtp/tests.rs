//! Both sides of a conversation, whole and in pieces.

mod commands;
mod messages;
mod replies;
