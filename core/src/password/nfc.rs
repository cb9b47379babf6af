//! Normalisation form C (UAX #15).
//!
//! Our own walk over tables that the build script makes, and only for this form: with the library's, which can do all forms and
//! whose tables are made for speed, passwords would be a tenth of the page. The tests hold it to the library.

use super::Refusal;
use alloc::vec::Vec;

/// Characters that two others become, with these two; in order.
const PAIRS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/pairs"));
/// Characters that decompose into one (then the second is 0) or two others, and are never composed; in order.
const OTHERS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/others"));
/// First and last of the marks of one combining class, not 0; in order.
const CLASSES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/classes"));

/// Below, nothing decomposes.
const FIRST_DECOMPOSED: char = '\u{c0}';
/// Below, nothing has a class or is the second of a pair.
const FIRST_MARK: char = '\u{300}';

/// Shows `put` each character of `text` in normalisation form C, until it refuses one.
pub(super) fn each(text: &str, put: &mut dyn FnMut(char) -> Result<(), Refusal>) -> Result<(), Refusal> {
    if text.chars().all(|c| c < FIRST_DECOMPOSED) {
        return text.chars().try_for_each(put);
    }
    Tables::unpack().each(text, put)
}

/// The tables, which take some microseconds to unpack: nothing beside the derivation that follows.
struct Tables {
    pairs: Vec<[u32; 3]>,
    others: Vec<[u32; 3]>,
    classes: Vec<[u32; 3]>,
}

/// What may still change: a character that others combine with, and the marks behind it.
struct Run<'a> {
    tables: &'a Tables,
    /// None before the first such character of the text.
    starter: Option<char>,
    /// In the order of the text.
    marks: Vec<(u32, char)>,
}

impl Run<'_> {
    fn push(&mut self, part: char, put: &mut dyn FnMut(char) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let class = self.tables.class(part);
        if class != 0 {
            self.marks.push((class, part));
            return Ok(());
        }
        self.combine();
        // Nothing may stand between two that become one.
        let joined = self.starter.filter(|_| self.marks.is_empty()).and_then(|starter| self.tables.compose(starter, part));
        if joined.is_none() {
            self.flush(put)?;
        }
        self.starter = Some(joined.unwrap_or(part));
        Ok(())
    }

    /// Shows what is left after [`Run::combine`], which nothing changes any more.
    fn flush(&mut self, put: &mut dyn FnMut(char) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.starter.take().into_iter().chain(self.marks.drain(..).map(|(_, mark)| mark)).try_for_each(put)
    }

    /// Puts the marks in order of their classes, and joins with the starter those that can be and are not blocked: behind a mark
    /// that is kept, only a mark of a higher class reaches the starter. Not to be done twice to the same marks.
    fn combine(&mut self) {
        if self.marks.is_empty() {
            return;
        }
        let mut kept = Vec::with_capacity(self.marks.len());
        let (mut class, mut last_kept) = (0, 0);
        // There are few classes; so this sorts in linear time.
        while let Some(next) = self.marks.iter().map(|(class, _)| *class).filter(|other| *other > class).min() {
            class = next;
            for &(_, mark) in self.marks.iter().filter(|(other, _)| *other == class) {
                let joined =
                    self.starter.filter(|_| last_kept < class).and_then(|starter| self.tables.compose(starter, mark));
                if joined.is_some() {
                    self.starter = joined;
                } else {
                    kept.push((class, mark));
                    last_kept = class;
                }
            }
        }
        self.marks = kept;
    }
}

impl Tables {
    fn unpack() -> Self {
        Self { pairs: rows(PAIRS), others: rows(OTHERS), classes: rows(CLASSES) }
    }

    /// As the function of the same name.
    fn each(&self, text: &str, put: &mut dyn FnMut(char) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut run = Run { tables: self, starter: None, marks: Vec::new() };
        for c in text.chars() {
            self.decompose(c, &mut |part| run.push(part, put))?;
        }
        run.combine();
        run.flush(put)
    }

    /// Shows `put` what `c` decomposes into.
    fn decompose(&self, c: char, put: &mut dyn FnMut(char) -> Result<(), Refusal>) -> Result<(), Refusal> {
        if let Some(syllable) = u32::from(c).checked_sub(SYLLABLES).filter(|syllable| *syllable < LEADS * VOWELS * TAILS) {
            put(char_at(LEAD + syllable / (VOWELS * TAILS)))?;
            put(char_at(VOWEL + syllable / TAILS % VOWELS))?;
            return if syllable % TAILS == 0 { Ok(()) } else { put(char_at(TAIL + syllable % TAILS)) };
        }
        // The seconds are put once all firsts have been followed; there are at most three.
        let (mut first, mut seconds) = (c, Vec::new());
        while first >= FIRST_DECOMPOSED
            && let Some(&[_, one, other]) = entry(&self.pairs, first).or_else(|| entry(&self.others, first))
        {
            first = char_at(one);
            if other != 0 {
                seconds.push(char_at(other));
            }
        }
        put(first)?;
        seconds.into_iter().rev().try_for_each(put)
    }

    /// What the two become together.
    fn compose(&self, first: char, second: char) -> Option<char> {
        if second < FIRST_MARK {
            return None;
        }
        let place = |c: char, start, count| u32::from(c).checked_sub(start).filter(|place| *place < count);
        if let (Some(lead), Some(vowel)) = (place(first, LEAD, LEADS), place(second, VOWEL, VOWELS)) {
            return char::from_u32(SYLLABLES + (lead * VOWELS + vowel) * TAILS);
        }
        if let (Some(syllable), Some(tail)) = (place(first, SYLLABLES, LEADS * VOWELS * TAILS), place(second, TAIL, TAILS))
            && syllable % TAILS == 0
            && tail > 0
        {
            return char::from_u32(SYLLABLES + syllable + tail);
        }
        let (first, second) = (u32::from(first), u32::from(second));
        self.pairs.iter().find(|[_, one, other]| (*one, *other) == (first, second)).map(|[c, ..]| char_at(*c))
    }

    /// The combining class; 0 for what is not a mark.
    fn class(&self, c: char) -> u32 {
        if c < FIRST_MARK {
            return 0;
        }
        let c = u32::from(c);
        let run = self.classes.partition_point(|[_, last, _]| *last < c);
        self.classes.get(run).filter(|[start, ..]| *start <= c).map_or(0, |[.., class]| *class)
    }
}

/// The row of `c`.
pub(super) fn entry(table: &[[u32; 3]], c: char) -> Option<&[u32; 3]> {
    table.binary_search_by_key(&u32::from(c), |[c, ..]| *c).ok().and_then(|at| table.get(at))
}

/// Rows as the build script packs them.
pub(super) fn rows(packed: &[u8]) -> Vec<[u32; 3]> {
    let mut rest = packed.iter();
    let mut differences = Vec::new();
    while !rest.as_slice().is_empty() {
        let (mut number, mut shift) = (0, 0);
        for octet in rest.by_ref() {
            number |= u32::from(octet & 0x7f) << shift;
            shift += 7;
            if octet & 0x80 == 0 {
                break;
            }
        }
        differences.push((number >> 1) ^ (number & 1).wrapping_neg());
    }
    let count = differences.len() / 3;
    let mut rows = alloc::vec![[0; 3]; count];
    let mut above = 0;
    for (at, difference) in differences.into_iter().enumerate() {
        above = if at % count == 0 { difference } else { difference.wrapping_add(above) };
        if let Some(place) = rows.get_mut(at % count).and_then(|row| row.get_mut(at / count)) {
            *place = above;
        }
    }
    rows
}

/// Hangul: where its syllables, leading consonants, vowels and trailing consonants begin, the first of the last standing for none; how
/// many there are of each (The Unicode Standard, 3.12).
const SYLLABLES: u32 = 0xac00;
const LEAD: u32 = 0x1100;
const LEADS: u32 = 19;
const VOWEL: u32 = 0x1161;
const VOWELS: u32 = 21;
const TAIL: u32 = 0x11a7;
const TAILS: u32 = 28;

/// The character of a number that a table holds, or of a part of a syllable.
pub(super) fn char_at(code: u32) -> char {
    char::from_u32(code).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeSet, string::String};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    #[track_caller]
    fn agrees(tables: &Tables, text: &str) {
        let mut normal = String::new();
        let put = &mut |c| {
            normal.push(c);
            Ok(())
        };
        tables.each(text, put).unwrap();
        assert_eq!(normal, text.nfc().collect::<String>(), "{text:?}");
    }

    #[test]
    fn each_character_alone_and_among_others() {
        let tables = Tables::unpack();
        let Tables { pairs, others, classes } = &tables;
        let mut stirs: BTreeSet<char> = pairs.iter().chain(others).flatten().map(|code| char_at(*code)).collect();
        stirs.extend(classes.iter().flat_map(|[start, last, _]| char_at(*start)..=char_at(*last)));
        // Of the others, one stands for its neighbours.
        stirs.extend((char::MIN..=char::MAX).step_by(97));
        for c in char::MIN..=char::MAX {
            agrees(&tables, c.encode_utf8(&mut [0; 4]));
        }
        for c in stirs {
            // Below, above, and between marks of both kinds, and behind a syllable that may take another part.
            agrees(&tables, &String::from_iter(['a', c, '\u{301}', '\u{ac00}', c, 'e', '\u{323}', c, '\u{302}']));
        }
    }

    #[test]
    fn a_refusal_ends_it() {
        let mut shown = 0;
        let end = each("abc", &mut |c| {
            shown += 1;
            if c == 'b' { Err(Refusal::Empty) } else { Ok(()) }
        });
        assert!(end.is_err() && shown == 2);
    }

    #[test]
    fn the_tables_are_those_of_the_library() {
        use unicode_normalization::char as library;
        let tables = Tables::unpack();
        let Tables { pairs, others, classes } = &tables;
        assert!(pairs.len() > 900 && others.len() > 1000 && classes.len() > 300);
        let all = [pairs, others, classes].into_iter().flatten().flatten();
        assert!(all.into_iter().all(|number| char::from_u32(*number).is_some()));
        assert!((char::MIN..FIRST_DECOMPOSED).all(|c| entry(pairs, c).or_else(|| entry(others, c)).is_none()));
        assert!(pairs.iter().all(|[.., second]| *second >= FIRST_MARK.into()));
        for c in char::MIN..=char::MAX {
            assert_eq!(tables.class(c), u32::from(library::canonical_combining_class(c)), "{c:?}");
            let (mut ours, mut theirs) = (String::new(), String::new());
            tables
                .decompose(c, &mut |part| {
                    ours.push(part);
                    Ok(())
                })
                .unwrap();
            library::decompose_canonical(c, |part| theirs.push(part));
            assert_eq!(ours, theirs, "{c:?}");
        }
        let hangul = || ('\u{1100}'..='\u{11ff}').chain(['\u{ac00}', '\u{ac01}', '\u{ac1c}', '\u{d7a3}', '\u{d7a4}']);
        let firsts: BTreeSet<char> = pairs.iter().map(|[_, first, _]| char_at(*first)).chain(hangul()).collect();
        let seconds: BTreeSet<char> = pairs.iter().map(|[.., second]| char_at(*second)).chain(hangul()).collect();
        for &first in &firsts {
            for &second in &seconds {
                assert_eq!(tables.compose(first, second), library::compose(first, second), "{first:?} {second:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC*") {
            agrees(&Tables::unpack(), &text);
        }

        #[test]
        fn marks_in_any_order(text in "[aeo\u{1100}\u{1161}\u{11a8}\u{300}-\u{34e}\u{5b0}-\u{5c7}\u{958}\u{9c7}\u{9be}\u{9d7}\u{3099}\u{1d15e}\u{1d165}\u{1e9b}\u{212b}]{0,12}") {
            agrees(&Tables::unpack(), &text);
        }
    }
}
