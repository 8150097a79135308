//! The server's side, as far as asking a filter whether it is there: option negotiation.

/// The packet that a mail server opens with: version, the actions it allows, the steps it can leave out.
pub fn offer() -> Vec<u8> {
    let mut packet = vec![0, 0, 0, 13, b'O'];
    for word in [6u32, 0x1ff, 0x001f_ffff] {
        packet.extend(word.to_be_bytes());
    }
    packet
}

/// The packet that ends the conversation.
pub fn quit() -> Vec<u8> {
    vec![0, 0, 0, 1, b'Q']
}

/// Size of what follows a packet's first four bytes; `None` where it cannot be an answer to [`offer`].
pub fn answer_size(head: [u8; 4]) -> Option<usize> {
    let size = u32::from_be_bytes(head);
    // Version, actions, protocol; some filters append the macros they want.
    (13..=4096).contains(&size).then_some(size as usize)
}

/// The filter's protocol version, where `answer` agrees to the negotiation.
pub fn agreed(answer: &[u8]) -> Option<u32> {
    match answer {
        [b'O', a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_agreement_is_told_from_anything_else() {
        assert_eq!(offer().len(), 17);
        assert_eq!(answer_size([0, 0, 0, 13]), Some(13));
        assert_eq!(answer_size([0, 0, 0, 1]), None);
        assert_eq!(answer_size([255, 255, 255, 255]), None);
        assert_eq!(agreed(&[b'O', 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]), Some(6));
        assert_eq!(agreed(b"R"), None);
    }
    proptest! {
        #[test]
        fn any_bytes_are_survived(head in any::<[u8; 4]>(), answer in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(answer_size(head).is_none_or(|size| (13..=4096).contains(&size)));
            prop_assert!(agreed(&answer).is_none() || answer[0] == b'O');
        }

        #[test]
        fn every_version_that_agrees_is_read(version in any::<u32>(), rest in prop::collection::vec(any::<u8>(), 8..40)) {
            let answer = [&b"O"[..], &version.to_be_bytes(), &rest].concat();
            prop_assert_eq!(agreed(&answer), Some(version));
        }
    }
}
