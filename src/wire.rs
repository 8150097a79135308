//! Protocols: bytes in, values out. No sockets, no clock.

pub mod milter;
