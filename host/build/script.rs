//! The tokens of a script, to write it again without comments and needless white space.
//!
//! Knows what the page's own sources and the glue of wasm-bindgen are made of, and refuses what it cannot read.

/// What a token is, as far as its neighbours care.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A name, keyword or number.
    Word,
    /// One character of punctuation.
    Sign,
    /// A string, a regular expression, or a piece of a template between its expressions.
    Text,
}

/// What stood before a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Gap {
    None,
    Space,
    Line,
}

/// A piece of a script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) gap: Gap,
    /// In how many brackets and templates it stands.
    pub(crate) depth: usize,
}

/// Takes a script apart; comments are left out.
///
/// # Errors
/// Something is left open, or closed that was not.
pub(crate) fn tokens(script: &str) -> Result<Vec<Token<'_>>, String> {
    let mut found: Vec<Token<'_>> = Vec::new();
    // The brackets that are open; `$` for the expression of a template.
    let mut open: Vec<char> = Vec::new();
    let mut rest = script;
    loop {
        let (gap, after) = gap(rest)?;
        rest = after;
        let Some(first) = rest.chars().next() else { break };
        let mut depth = open.len();
        let (kind, length) = match first {
            '\'' | '"' => (Kind::Text, string(rest, first)?),
            '`' => (Kind::Text, template(rest, &mut open)?),
            '}' if open.last() == Some(&'$') => {
                open.pop();
                depth = open.len();
                (Kind::Text, template(rest, &mut open)?)
            }
            '/' if found.last().is_none_or(expects_operand) => (Kind::Text, regular_expression(rest)?),
            _ if is_word(first) => (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
            _ => {
                match first {
                    '(' | '[' | '{' => open.push(first),
                    ')' | ']' | '}' => {
                        let opener = open.pop().ok_or_else(|| format!("`{first}` closes nothing"))?;
                        depth = open.len();
                        if !matches!((opener, first), ('(', ')') | ('[', ']') | ('{', '}')) {
                            return Err(format!("`{first}` closes `{opener}`"));
                        }
                    }
                    _ => {}
                }
                (Kind::Sign, first.len_utf8())
            }
        };
        let (text, after) = rest.split_at(length);
        found.push(Token { kind, text, gap, depth });
        rest = after;
    }
    if let Some(opener) = open.last() {
        return Err(format!("`{opener}` is not closed"));
    }
    Ok(found)
}

/// Writes tokens again, with the white space that they need.
pub(crate) fn write<'a>(tokens: impl IntoIterator<Item = &'a Token<'a>>) -> String {
    let mut out = String::new();
    let mut last: Option<&Token<'_>> = None;
    for token in tokens {
        if let Some(before) = last {
            out.push_str(between(before, token));
        }
        out.push_str(token.text);
        last = Some(token);
    }
    out
}

fn between(before: &Token<'_>, token: &Token<'_>) -> &'static str {
    // A line may end a statement, unless one cannot end or go on there.
    let inside = before.kind == Kind::Sign && "{([,;".contains(before.text)
        || token.kind == Kind::Sign && "})],.".contains(token.text);
    let merge = before.kind == Kind::Word && token.kind == Kind::Word
        // `+ +` is not `++`, and no division begins a comment.
        || before.text == token.text && matches!(token.text, "+" | "-")
        || before.text.ends_with('/') && token.text.starts_with('/');
    match token.gap {
        Gap::Line if !inside => "\n",
        Gap::Line | Gap::Space if merge => " ",
        // A flag of a regular expression, or the piece of a template, sticks to what follows.
        _ if before.kind == Kind::Text
            && token.kind == Kind::Word
            && token.gap != Gap::None
            && !before.text.ends_with("${") =>
        {
            " "
        }
        _ => "",
    }
}

/// White space and comments, and what follows.
fn gap(script: &str) -> Result<(Gap, &str), String> {
    let (mut gap, mut rest) = (Gap::None, script);
    loop {
        let trimmed = rest.trim_start();
        let (blank, after) = rest.split_at(rest.len() - trimmed.len());
        let mut skipped = blank;
        rest = after;
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if rest.starts_with("/*") {
            let (comment, after) = rest.split_at(rest.find("*/").ok_or("a comment is not closed")? + 2);
            (skipped, rest) = (comment, after);
        } else if blank.is_empty() {
            return Ok((gap, rest));
        }
        if blank.contains('\n') || skipped.contains('\n') {
            gap = Gap::Line;
        } else if gap == Gap::None {
            gap = Gap::Space;
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '\\')
}

/// Whether a `/` behind this begins a regular expression; else it divides.
fn expects_operand(before: &Token<'_>) -> bool {
    const KEYWORDS: [&str; 9] = ["return", "typeof", "case", "in", "of", "void", "await", "yield", "else"];
    match before.kind {
        Kind::Word => KEYWORDS.contains(&before.text),
        Kind::Sign => !matches!(before.text, ")" | "]" | "}"),
        Kind::Text => before.text.ends_with("${"),
    }
}

/// The length of the string that `text` begins with.
fn string(text: &str, quote: char) -> Result<usize, String> {
    ends(text, |c| c == quote).ok_or_else(|| "a string is not closed".into())
}

/// The length of the piece of a template that `text` begins with: up to its end, or to the next expression.
fn template(text: &str, open: &mut Vec<char>) -> Result<usize, String> {
    let mut dollar = false;
    let length = ends(text, |c| {
        let found = c == '`' || (dollar && c == '{');
        dollar = c == '$';
        found
    });
    let length = length.ok_or("a template is not closed")?;
    if text[..length].ends_with('{') {
        open.push('$');
    }
    Ok(length)
}

/// The length of the regular expression that `text` begins with, without its flags.
fn regular_expression(text: &str) -> Result<usize, String> {
    let mut class = false;
    let length = ends(text, |c| {
        class = (class || c == '[') && c != ']';
        c == '/' && !class
    });
    length.ok_or_else(|| "a regular expression is not closed".into())
}

/// The length up to the first character that `is_end`, itself included; the first character of all, and those that are escaped, do not
/// count.
fn ends(text: &str, mut is_end: impl FnMut(char) -> bool) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if is_end(c) {
            return Some(at + c.len_utf8());
        }
    }
    None
}
