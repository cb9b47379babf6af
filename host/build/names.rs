//! Which words of a script are names that another script could have too, so that they can be renamed. Knows as little of the language
//! as the page's own sources need.

use super::super::script::{Gap, Kind, Token};

/// What a word stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// A property, a keyword, a number, or no word at all.
    Other,
    /// A variable, function or class, be it declared or used.
    Name,
    /// The same, and the name of a property besides: `{ a }`.
    Short,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Inside {
    /// A block, a list, arguments, or nothing.
    Code,
    Object,
    Class,
}

/// A bracket or template that is open, or all of the script.
#[derive(Clone, Copy)]
struct Open {
    inside: Inside,
    /// How many `?` wait in it for their `:`.
    choices: usize,
}

/// The roles of tokens, in their order. Every name that is declared somewhere has its role there, too.
///
/// # Errors
/// What was taken for an object is none, or could be a block.
pub(crate) fn roles(tokens: &[Token<'_>]) -> Result<Vec<Role>, String> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let opened = |inside| Open { inside, choices: 0 };
    let mut open = vec![opened(Inside::Code)];
    // Whether the last `:` belongs to a `?`.
    let mut is_choice = false;
    // How many brackets are open around the class whose body has not begun.
    let mut class = None;
    let mut roles = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).map_or("", text);
        let Open { inside, choices } = open.last().copied().unwrap_or(opened(Inside::Code));
        let mut role = Role::Other;
        match (token.kind, token.text) {
            (Kind::Text, piece) => {
                if piece.starts_with('}') {
                    open.pop();
                }
                if piece.starts_with(['`', '}']) && piece.ends_with("${") {
                    open.push(opened(Inside::Code));
                }
            }
            (Kind::Sign, "(" | "[") => open.push(opened(Inside::Code)),
            (Kind::Sign, ")" | "]" | "}") => _ = open.pop(),
            (Kind::Sign, "?" | ":") => {
                // Neither `?.` nor `??`. A digit behind `?.` is that of a number.
                let is_chain = text(at + 1) == "." && !text(at + 2).starts_with(|c: char| c.is_ascii_digit());
                let is_open = token.text == "?" && before(1) != "?" && text(at + 1) != "?" && !is_chain;
                is_choice = token.text == ":" && choices > 0;
                if let Some(last) = open.last_mut() {
                    last.choices = choices + usize::from(is_open) - usize::from(is_choice);
                }
            }
            (Kind::Sign, "{") => {
                let is_block = match before(1) {
                    "" | ")" | ";" | "}" | "{" | "else" | "try" | "catch" | "finally" | "do" => true,
                    ">" => before(2) == "=",
                    // Behind `case …:`, `default:` or a label.
                    ":" => inside == Inside::Code && !is_choice,
                    "static" => inside == Inside::Class,
                    _ => false,
                };
                open.push(opened(match class {
                    Some(depth) if depth == open.len() => {
                        class = None;
                        Inside::Class
                    }
                    _ if is_block => Inside::Code,
                    _ if token.gap == Gap::Line && at.checked_sub(1).is_some_and(|at| may_end(&tokens[at])) => {
                        return Err(format!("`{}`, and `{{` in the next line, is not understood", before(1)));
                    }
                    _ => Inside::Object,
                }));
            }
            (Kind::Word, word) if word.starts_with(|c: char| c.is_ascii_digit() || c == '#') => {}
            (Kind::Word, _) if before(1) == "." && before(2) != "." => {}
            (Kind::Word, word) => {
                if word == "class" {
                    class = Some(open.len());
                }
                let modified = matches!(before(1), "get" | "set" | "async" | "static" | "*");
                role = match inside {
                    Inside::Class if modified || is_first(token, before(1)) => Role::Other,
                    Inside::Object if modified && text(at + 1) == "(" => Role::Other,
                    Inside::Object if matches!(before(1), "{" | ",") => match text(at + 1) {
                        "," | "}" | "=" => Role::Short,
                        ":" | "(" => Role::Other,
                        _ if matches!(word, "get" | "set" | "async") => Role::Other,
                        next => return Err(format!("`{{ {word} {next}` is not understood")),
                    },
                    _ => Role::Name,
                };
            }
            _ => {}
        }
        roles.push(role);
    }
    Ok(roles)
}

/// Whether a statement may end with this token, so that what is in the next line begins another.
fn may_end(token: &Token<'_>) -> bool {
    token.text == "]" || (token.kind != Kind::Sign && !token.text.ends_with("${"))
}

/// Whether a token begins something in the body of a class.
fn is_first(token: &Token<'_>, before: &str) -> bool {
    token.gap == Gap::Line || matches!(before, "{" | "}" | ";")
}

/// The names that are declared outside of all brackets.
///
/// # Errors
/// Something is declared in another form than the sources use.
pub(crate) fn declared<'a>(tokens: &[Token<'a>]) -> Result<Vec<&'a str>, String> {
    let mut names = Vec::new();
    // Whether names that follow a comma are declared as well.
    let mut goes_on = false;
    let outside: Vec<&Token<'a>> = tokens.iter().filter(|token| token.depth == 0).collect();
    for (at, token) in outside.iter().enumerate() {
        let is_start = at == 0 || token.gap == Gap::Line || outside[at - 1].text == ";";
        let next = |by: usize| outside.get(at + by).map_or("", |token| token.text);
        let name = match token.text {
            "const" | "let" if is_start => {
                goes_on = true;
                outside.get(at + 1)
            }
            "function" | "class" if is_start || (next(0) == "function" && at > 0 && outside[at - 1].text == "async") => {
                goes_on = false;
                outside.get(at + 1)
            }
            "," if goes_on => outside.get(at + 1),
            _ => {
                goes_on &= !(is_start && token.kind == Kind::Word);
                continue;
            }
        };
        match name.map(|name| (name.kind, name.text)) {
            Some((Kind::Word, name)) => names.push(name),
            Some((Kind::Sign, "[")) => {
                let from = tokens.iter().position(|one| core::ptr::eq(one, *name.unwrap_or(token))).unwrap_or_default();
                let list = tokens[from + 1..].iter().take_while(|one| one.text != "]");
                names.extend(list.filter(|one| one.kind == Kind::Word).map(|one| one.text));
            }
            _ => return Err(format!("`{} {}` is not understood", token.text, next(1))),
        }
    }
    Ok(names)
}
