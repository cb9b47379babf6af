//! Writes the tables of normalisation form C (`src/password/nfc.rs`), from those of `unicode-normalization`.
//!
//! The library's own tables are made to be looked up at once, and hold every form: five times as much as all else that the page
//! needs of Unicode. These are searched instead, and squeeze well.

use std::{
    collections::HashMap,
    env, error, fmt, fs,
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
                // Several may decompose into the same; one of them is what `c` is composed of, if it is.
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
    let out = PathBuf::from(env::var("OUT_DIR")?);
    write(&out, "pairs.rs", &pairs)?;
    write(&out, "others.rs", &others)?;
    write(&out, "classes.rs", &classes)?;
    Ok(())
}

/// What `c` decomposes into.
fn whole(c: char) -> Vec<char> {
    let mut parts = Vec::new();
    decompose_canonical(c, |part| parts.push(part));
    parts
}

/// Writes a slice as an expression, in ASCII.
fn write(folder: &Path, name: &str, table: &[impl fmt::Debug]) -> std::io::Result<()> {
    let escaped = |c: char| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() };
    fs::write(folder.join(name), format!("&{table:?}").chars().map(escaped).collect::<String>())
}
