//! What is counted of a request, and under which name.

use crate::{
    mail::{greylist, limit::Load},
    wire::policy::{PolicyRequest, number},
};

/// What is judged before the message is there: one more message with one more recipient.
pub const NEXT: Load = Load { messages: 1, recipients: 1, kib: 0 };

/// What a whole message adds.
pub fn load(request: &PolicyRequest<'_>) -> Load {
    let recipients = u32::try_from(number(request.recipient_count)).unwrap_or(u32::MAX);
    Load::message(recipients.max(1), number(request.size))
}

/// Behind the last `@`.
pub fn domain(address: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', address).map_or(&[], |at| &address[at + 1..])
}

/// In lower case, as much as fits.
pub fn lower<'a>(text: &[u8], room: &'a mut [u8; greylist::SENDER]) -> &'a [u8] {
    let text = &text[..text.len().min(room.len())];
    let room = &mut room[..text.len()];
    room.copy_from_slice(text);
    room.make_ascii_lowercase();
    room
}
