//! Whether text is UTF-8, in a third of the code of the standard library's check, which is made for speed.

/// Where text stops being UTF-8: `Some` of the offset of the first sequence that is none.
pub(super) fn first_fault(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    while let Some((lead, mut after)) = rest.split_first() {
        // As many ones at the top as the sequence has bytes, but none for a single one; 1 is a byte that only goes on.
        let length = lead.leading_ones();
        let mut code = u32::from(*lead) & (0x7f >> length.min(7));
        for _ in 1..length.min(5) {
            // A byte that goes on has the bits 10 at the top. Anything else gives a code that no character has.
            let (next, past) = after.split_first().unwrap_or((&0, &[]));
            code = code << 6 | u32::from(next ^ 0x80);
            if next & 0xc0 != 0x80 {
                code = u32::MAX;
            }
            after = past;
        }
        // No surrogate, nothing past the last plane, and no sequence longer than its character needs.
        let whole = char::from_u32(code).is_some_and(|c| c.len_utf8() as u32 == length.max(1));
        if !whole || length == 1 {
            return Some(text.len() - rest.len());
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use rand_core::Rng;

    fn agrees(text: &[u8]) {
        assert_eq!(first_fault(text), core::str::from_utf8(text).err().map(|error| error.valid_up_to()), "{text:x?}");
    }

    #[test]
    fn the_standard_librarys_check_stops_at_the_same_byte() {
        // Every pair of bytes, cut short and followed by bytes that go on or do not.
        for pair in 0..=u16::MAX {
            let [a, b] = pair.to_be_bytes();
            for text in
                [&[a, b][..], &[a, b, 0x80], &[a, b, 0xbf, 0xbf], &[b'x', a, b, 0x80, 0x41], &[a, b, 0x80, 0x80, 0x80]]
            {
                agrees(text);
            }
        }
        let mut stream = Stream::new(3);
        let words = ["a", "é", "€", "😀", "\u{7ff}", "\u{800}", "\u{ffff}", "\u{10000}", "\u{10ffff}"];
        for _ in 0..20_000 {
            let mut text = [0; 16];
            let mut at = 0;
            while let Some(room) = text.get_mut(at..at + 4) {
                let word = words[stream.next_u32() as usize % words.len()].as_bytes();
                room[..word.len()].copy_from_slice(word);
                at += word.len();
            }
            agrees(&text[..at]);
            text[stream.next_u32() as usize % at] = stream.next_u32() as u8;
            agrees(&text[..at]);
        }
    }
}
