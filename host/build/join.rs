//! Joins the modules of the page to a few files. Each module becomes a function that is called once and gives what the module
//! exports, in the order of the imports; so the names of one never meet those of another.
//!
//! Takes the plain forms of `import` and `export` that the sources use, and stops the build at any other.

use super::script::{self, Kind, Token};
use std::{collections::BTreeMap, fmt::Write as _};

/// A file to be made.
pub(crate) struct Chunk<'a> {
    /// Where it will be.
    pub(crate) path: String,
    /// The modules it begins with. With them comes whatever they import and no chunk before has.
    pub(crate) roots: &'a [&'a str],
}

/// The sources by their paths, and where files are that are no modules.
pub(crate) struct Sources<'a> {
    pub(crate) scripts: BTreeMap<&'a str, &'a str>,
    pub(crate) moved: BTreeMap<String, String>,
}

/// The files that the modules become, with their paths.
///
/// # Errors
/// What cannot be joined, and in which module.
pub(crate) fn join(chunks: &[Chunk<'_>], sources: &Sources<'_>) -> Result<Vec<(String, String)>, String> {
    let mut modules = BTreeMap::new();
    for (path, script) in &sources.scripts {
        modules.insert(*path, Module::read(path, script).map_err(|error| format!("`{path}` cannot be joined: {error}"))?);
    }
    let mut all = Joined { chunks, moved: &sources.moved, modules, homes: BTreeMap::new(), orders: Vec::new() };
    for (at, chunk) in chunks.iter().enumerate() {
        let mut order = Vec::new();
        for root in chunk.roots {
            all.place(root, at, &mut order, &mut Vec::new())?;
        }
        all.orders.push(order);
    }
    (0..chunks.len()).map(|at| Ok((chunks[at].path.clone(), all.written(at)?))).collect()
}

struct Module<'a> {
    imports: Vec<Import<'a>>,
    exports: Vec<Export<'a>>,
    /// The modules of which it exports all.
    stars: Vec<String>,
    body: Vec<Token<'a>>,
}

struct Export<'a> {
    name: &'a str,
    /// What that is inside, or inside of another module.
    inside: &'a str,
    of: Option<String>,
}

struct Import<'a> {
    from: String,
    names: Names<'a>,
}

enum Names<'a> {
    /// As they are exported, and as they are called here.
    Some(Vec<(&'a str, &'a str)>),
    /// All of them, as an object of this name.
    All(&'a str),
}

impl<'a> Module<'a> {
    fn read(path: &str, script: &'a str) -> Result<Self, String> {
        let tokens = script::tokens(script)?;
        let mut module = Self { imports: Vec::new(), exports: Vec::new(), stars: Vec::new(), body: Vec::new() };
        let mut rest = tokens.as_slice();
        while let [token, after @ ..] = rest {
            let next = after.first().map_or("", |token| token.text);
            rest = match token.text {
                "import" if token.depth == 0 && !matches!(next, "(" | ".") => module.import(path, after)?,
                "export" if token.depth == 0 => module.export(path, token, after)?,
                _ => {
                    module.body.push(*token);
                    after
                }
            };
        }
        Ok(module)
    }

    /// `import …`; what follows.
    fn import<'t>(&mut self, path: &str, tokens: &'t [Token<'a>]) -> Result<&'t [Token<'a>], String> {
        let end = tokens.iter().position(|token| token.kind == Kind::Text).ok_or("an import names no module")?;
        let (clause, rest) = tokens.split_at(end);
        let from = resolved(path, rest[0].text.trim_matches('\''));
        let texts: Vec<&str> = clause.iter().map(|token| token.text).collect();
        let names = match texts.as_slice() {
            [] => Names::Some(Vec::new()),
            ["*", "as", name, "from"] => Names::All(name),
            ["{", names @ .., "}", "from"] => Names::Some(listed(names)?),
            _ => return Err(format!("`import {}` is not understood", texts.join(" "))),
        };
        self.imports.push(Import { from, names });
        Ok(&rest[1..])
    }

    /// `export …`; what follows.
    fn export<'t>(&mut self, path: &str, export: &Token<'a>, tokens: &'t [Token<'a>]) -> Result<&'t [Token<'a>], String> {
        let texts: Vec<&str> = tokens.iter().take_while(|token| token.kind != Kind::Text).map(|token| token.text).collect();
        match texts.as_slice() {
            ["const" | "function" | "class", name, ..] | ["async", "function", name, ..]
                if !matches!(*name, "{" | "[" | "*") =>
            {
                self.exports.push(Export { name, inside: name, of: None });
                // What is declared begins where `export` stood.
                self.body.push(Token { gap: export.gap, ..tokens[0] });
                Ok(&tokens[1..])
            }
            ["*", "from", ..] => {
                self.stars.push(resolved(path, tokens[2].text.trim_matches('\'')));
                Ok(&tokens[3..])
            }
            ["{", rest @ ..] => {
                let end = rest.iter().position(|text| *text == "}").ok_or("an export is not closed")?;
                let names = listed(&rest[..end])?;
                let is_own = texts.get(end + 2) != Some(&"from");
                let of = (!is_own).then(|| resolved(path, tokens[end + 3].text.trim_matches('\'')));
                self.exports.extend(names.into_iter().map(|(inside, name)| Export { name, inside, of: of.clone() }));
                self.imports.extend(of.map(|from| Import { from, names: Names::Some(Vec::new()) }));
                Ok(&tokens[if is_own { end + 2 } else { end + 4 }..])
            }
            _ => Err(format!("`export {}` is not understood", texts.iter().take(4).copied().collect::<Vec<_>>().join(" "))),
        }
    }

    /// The modules it imports from, in order.
    fn needs(&self) -> impl Iterator<Item = &String> {
        self.imports.iter().map(|import| &import.from).chain(&self.stars)
    }
}

struct Joined<'a> {
    chunks: &'a [Chunk<'a>],
    moved: &'a BTreeMap<String, String>,
    modules: BTreeMap<&'a str, Module<'a>>,
    /// In which chunk a module is, and what it is called there.
    homes: BTreeMap<String, (usize, String)>,
    /// The modules of each chunk, behind those that they import.
    orders: Vec<Vec<String>>,
}

impl Joined<'_> {
    fn place(&mut self, path: &str, chunk: usize, order: &mut Vec<String>, under: &mut Vec<String>) -> Result<(), String> {
        if under.iter().any(|other| other == path) {
            return Err(format!("`{path}` imports itself, through {}", under.join(", ")));
        }
        if self.homes.contains_key(path) {
            return Ok(());
        }
        under.push(path.into());
        let module = self.modules.get(path).ok_or_else(|| format!("there is no module `{path}`"))?;
        for needed in module.needs().cloned().collect::<Vec<_>>() {
            self.place(&needed, chunk, order, under)?;
        }
        under.pop();
        // By its number, as the names of all take room.
        self.homes.insert(path.into(), (chunk, format!("${}", self.homes.len())));
        order.push(path.into());
        Ok(())
    }

    fn written(&self, at: usize) -> Result<String, String> {
        let here = &self.chunks[at].path;
        let mut imported: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut out = String::new();
        for path in &self.orders[at] {
            let module = self.module(path)?;
            for needed in module.needs() {
                let (home, name) = &self.homes[needed];
                let names = imported.entry(*home).or_default();
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            let written = self.module_written(module, path, here);
            out.push_str(&written.map_err(|error| format!("`{path}` cannot be joined: {error}"))?);
        }
        let mut head = String::new();
        for (home, names) in imported.iter().filter(|(home, _)| **home != at) {
            // Writing to a string does not fail.
            let _ = writeln!(head, "import{{{}}}from'{}'", names.join(","), relative(here, &self.chunks[*home].path));
        }
        // What others ask for, and the roots.
        let roots = self.chunks[at].roots.iter().map(|root| (*root).to_owned());
        let elsewhere =
            self.homes.iter().filter(|(_, (home, _))| *home != at).filter_map(|(path, _)| self.modules.get(path.as_str()));
        let mut exported: Vec<String> =
            elsewhere.flat_map(Module::needs).cloned().chain(roots).filter(|path| self.homes[path].0 == at).collect();
        exported.sort_unstable();
        exported.dedup();
        let exported: Vec<&str> = exported.iter().map(|path| self.variable(path)).collect();
        Ok(format!("{head}{out}export{{{}}}\n", exported.join(",")))
    }

    fn module_written(&self, module: &Module<'_>, path: &str, here: &str) -> Result<String, String> {
        let mut out = format!("const {}=(()=>{{", self.variable(path));
        for Import { from, names } in &module.imports {
            let from_variable = self.variable(from);
            let _ = match names {
                Names::All(name) => writeln!(out, "const {name}={from_variable}"),
                Names::Some(names) if names.is_empty() => Ok(()),
                Names::Some(names) => {
                    for (name, _) in names {
                        if !self.exports(from)?.contains(name) {
                            return Err(format!("`{from}` does not export `{name}`"));
                        }
                    }
                    writeln!(out, "const{{{}}}={from_variable}", pairs(names.iter().copied()))
                }
            };
        }
        let replaced = self.replaced(module, path, here)?;
        let mut body = module.body.clone();
        for (start, text, length) in replaced.iter().rev() {
            body.splice(*start..start + length, [Token { text, ..module.body[*start] }]);
        }
        out.push_str(&script::write(&body));
        let stars = module.stars.iter().map(|star| format!("...{}", self.variable(star)));
        let own = module.exports.iter().map(|Export { name, inside, of }| match of {
            Some(of) => format!("{name}:{}.{inside}", self.variable(of)),
            None if name == inside => (*name).into(),
            None => format!("{name}:{inside}"),
        });
        let exports: Vec<String> = stars.chain(own).collect();
        let _ = if exports.is_empty() {
            write!(out, "\n}})()\n")
        } else {
            write!(out, "\nreturn{{{}}}}})()\n", exports.join(","))
        };
        Ok(out)
    }

    /// What names another file by its place among the sources: where in the body, what stands there instead, and for how many tokens.
    fn replaced(&self, module: &Module<'_>, path: &str, here: &str) -> Result<Vec<(usize, String, usize)>, String> {
        let mut replaced = Vec::new();
        for start in 0..module.body.len() {
            let texts: Vec<&str> = module.body[start..].iter().take(8).map(|token| token.text).collect();
            match texts.as_slice() {
                ["import", "(", to, ")", ..] => {
                    let to = resolved(path, to.trim_matches('\''));
                    let (home, name) = self.homes.get(&to).ok_or_else(|| format!("no file has `{to}`"))?;
                    let file = relative(here, &self.chunks[*home].path);
                    replaced.push((start, format!("import('{file}').then(all=>all.{name})"), 4));
                }
                ["new", "URL", "(", to, ",", "import", ".", "meta"] => {
                    let to = resolved(path, to.trim_matches('\''));
                    let to = self.moved.get(&to).ok_or_else(|| format!("there is no file `{to}`"))?;
                    replaced.push((start, format!("new URL('{}',import.meta", relative(here, to)), 8));
                }
                _ => {}
            }
        }
        let understood = replaced.iter().filter(|(_, text, _)| text.ends_with("import.meta")).count();
        let all = module.body.windows(3).filter(|tokens| tokens[0].text == "import" && tokens[2].text == "meta").count();
        if all != understood {
            return Err("`import.meta` is only understood in `new URL('…', import.meta.url)`".into());
        }
        Ok(replaced)
    }

    fn exports(&self, path: &str) -> Result<Vec<&str>, String> {
        let module = self.module(path)?;
        let mut names: Vec<&str> = module.exports.iter().map(|export| export.name).collect();
        for star in &module.stars {
            names.extend(self.exports(star)?);
        }
        Ok(names)
    }

    /// What a module is called.
    fn variable(&self, path: &str) -> &str {
        &self.homes[path].1
    }

    fn module(&self, path: &str) -> Result<&Module<'_>, String> {
        self.modules.get(path).ok_or_else(|| format!("there is no module `{path}`"))
    }
}

/// `a, b as c`: each name as it is outside or inside, and as it becomes.
fn listed<'a>(texts: &[&'a str]) -> Result<Vec<(&'a str, &'a str)>, String> {
    let named = texts.split(|text| *text == ",").filter(|names| !names.is_empty());
    let pair = |names: &[&'a str]| match names {
        [name] => Ok((*name, *name)),
        [name, "as", other] => Ok((*name, *other)),
        _ => Err(format!("`{}` is not understood", names.join(" "))),
    };
    named.map(pair).collect()
}

fn pairs<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let names: Vec<String> =
        names.map(|(name, other)| if name == other { name.into() } else { format!("{name}:{other}") }).collect();
    names.join(",")
}

/// `path` as seen from the file `name`.
pub(crate) fn resolved(name: &str, path: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// How the file `from` names the file `to`.
fn relative(from: &str, to: &str) -> String {
    let common = from.split('/').zip(to.split('/')).take_while(|(one, other)| one == other).count();
    let up = from.split('/').count() - 1 - common.min(from.split('/').count() - 1);
    let down: Vec<&str> = to.split('/').skip(common).collect();
    if up == 0 { format!("./{}", down.join("/")) } else { format!("{}{}", "../".repeat(up), down.join("/")) }
}
