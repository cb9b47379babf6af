//! Writes the tables of normalisation form C (`src/password/nfc.rs`), from those of `unicode-normalization`, and that of lower case
//! (`src/password/lower.rs`), from that of the standard library.
//!
//! The libraries' own tables are made for direct look-up, and the former's hold every form: five times as much as all else that the page
//! needs of Unicode. These are rows of numbers, stored as columns of differences, which compress to half of what the rows do.

use std::{
    collections::HashMap,
    env, error, fs,
    path::{Path, PathBuf},
};
use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};

/// The syllables of Hangul are computed.
const SYLLABLES: core::ops::RangeInclusive<char> = '\u{ac00}'..='\u{d7a3}';

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let all = || (char::MIN..=char::MAX).filter(|c| !SYLLABLES.contains(c));
    let decomposed: Vec<(char, Vec<char>)> =
        all().map(|c| (c, whole(c))).filter(|(c, parts)| parts.as_slice() != [*c]).collect();
    let mut by_parts: HashMap<&[char], Vec<char>> = HashMap::new();
    for (c, parts) in &decomposed {
        by_parts.entry(parts).or_default().push(*c);
    }
    let (mut pairs, mut others) = (Vec::new(), Vec::new());
    for (c, parts) in &decomposed {
        match parts.as_slice() {
            [one] => others.push((*c, *one, '\0')),
            [before @ .., last] => {
                let firsts = if let [_] = before { Some(before) } else { by_parts.get(before).map(Vec::as_slice) };
                let firsts = firsts.ok_or_else(|| format!("{c:?} is no pair"))?;
                // Several firsts may decompose into the same; `c` is composed of one of them, if it is composed at all.
                match firsts.iter().find(|first| compose(**first, *last) == Some(*c)) {
                    Some(first) => pairs.push((*c, *first, *last)),
                    None => others.extend(firsts.first().map(|first| (*c, *first, *last))),
                }
            }
            [] => {}
        }
    }
    // Runs of characters of one class.
    let mut classes: Vec<(char, char, u8)> = Vec::new();
    for (c, class) in all().map(|c| (c, canonical_combining_class(c))).filter(|(_, class)| *class != 0) {
        match classes.last_mut() {
            Some((_, last, same)) if *same == class && u32::from(*last) + 1 == c.into() => *last = c,
            _ => classes.push((c, c, class)),
        }
    }
    let lower = all().filter(|c| !c.is_ascii()).filter_map(|c| {
        let mut parts = c.to_lowercase();
        let (one, other) = (parts.next()?, parts.next());
        ((one, other) != (c, None)).then_some((c, one, other.unwrap_or_default()))
    });
    let lower: Vec<(char, char, char)> = lower.collect();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    write(&out, "pairs", &pairs)?;
    write(&out, "others", &others)?;
    write(&out, "classes", &classes)?;
    write(&out, "lower", &lower)?;
    Ok(())
}

/// What `c` decomposes into.
fn whole(c: char) -> Vec<char> {
    let mut parts = Vec::new();
    decompose_canonical(c, |part| parts.push(part));
    parts
}

/// Writes rows column by column, each number as its difference from the one above. Differences alternate between signs, the small
/// ones first, and have seven bits in each octet, the low ones first; all but the last octet have the high bit.
fn write(folder: &Path, name: &str, rows: &[(char, char, impl Copy + Into<u32>)]) -> std::io::Result<()> {
    let columns: [Vec<u32>; 3] = [
        rows.iter().map(|(number, ..)| u32::from(*number)).collect(),
        rows.iter().map(|(_, number, _)| u32::from(*number)).collect(),
        rows.iter().map(|(.., number)| (*number).into()).collect(),
    ];
    let mut octets = Vec::new();
    for column in columns {
        let mut above = 0;
        for number in column {
            let difference = number.wrapping_sub(above).cast_signed();
            let mut left = ((difference << 1) ^ (difference >> 31)).cast_unsigned();
            while left > 0x7f {
                octets.extend(u8::try_from((left & 0x7f) | 0x80));
                left >>= 7;
            }
            octets.extend(u8::try_from(left));
            above = number;
        }
    }
    fs::write(folder.join(name), octets)
}
