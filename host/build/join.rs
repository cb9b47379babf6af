//! Joins the modules of the page into a few files, each module behind those that it imports. What a module declares for itself is
//! renamed where another module uses the same name, for whatever.
//!
//! Takes the plain forms of `import` and `export` that the sources use, and stops the build at any other.

use super::script::{self, Kind, Token};
use names::Role;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

#[path = "names.rs"]
mod names;

/// A file to be made.
pub(crate) struct Chunk<'a> {
    /// Where it will be.
    pub(crate) path: String,
    /// The modules it begins with. With them comes whatever they import that no earlier chunk has.
    pub(crate) roots: &'a [&'a str],
}

/// The sources by their paths, and where files that are no modules are.
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
    let mut all = Joined {
        chunks,
        moved: &sources.moved,
        modules,
        homes: BTreeMap::new(),
        orders: Vec::new(),
        names: BTreeMap::new(),
    };
    for (at, chunk) in chunks.iter().enumerate() {
        let mut order = Vec::new();
        for root in chunk.roots {
            all.place(root, at, &mut order, &mut Vec::new())?;
        }
        all.orders.push(order);
    }
    all.name()?;
    (0..chunks.len()).map(|at| Ok((chunks[at].path.clone(), all.written(at)?))).collect()
}

/// Which module declares something, and under which name.
type Declared = (String, String);

#[derive(Default)]
struct Module<'a> {
    imports: Vec<Import<'a>>,
    exports: Vec<Export<'a>>,
    /// The modules of which it exports all.
    stars: Vec<String>,
    body: Vec<Token<'a>>,
    /// What the tokens of the body are.
    roles: Vec<Role>,
    /// What it declares.
    declared: Vec<&'a str>,
    /// All names that occur in it.
    used: BTreeSet<&'a str>,
}

struct Export<'a> {
    name: &'a str,
    /// The exported name as it is inside this module, or inside the module `of`.
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
        let mut module = Self::default();
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
        module.roles = names::roles(&module.body)?;
        module.declared = names::declared(&module.body)?;
        let named = module.body.iter().zip(&module.roles).filter(|(_, role)| **role != Role::Other);
        module.used = named.map(|(token, _)| token.text).collect();
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
    /// In which chunk a module is.
    homes: BTreeMap<String, usize>,
    /// The modules of each chunk, behind those that they import.
    orders: Vec<Vec<String>>,
    /// What the names that modules declare become, by module and name. For a module that begins a chunk, the empty name stands for an
    /// object of all that it exports.
    names: BTreeMap<Declared, String>,
}

impl<'a> Joined<'a> {
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
        self.homes.insert(path.into(), chunk);
        order.push(path.into());
        Ok(())
    }

    /// Gives every name that is declared one that means nothing else in any module.
    fn name(&mut self) -> Result<(), String> {
        let mut imported = BTreeMap::new();
        for path in self.orders.iter().flatten() {
            for (local, of) in self.locals(path)? {
                imported.insert((path.as_str(), local), of);
            }
        }
        let mut names = BTreeMap::new();
        let mut numbers = 0..;
        let mut number = || format!("${}", numbers.next().unwrap_or_default());
        for path in self.orders.iter().flatten() {
            for name in self.declared(path)? {
                let of = (path.clone(), name.to_owned());
                let is_free = |other: &String| {
                    let is_used = self.modules.get(other.as_str()).is_some_and(|module| module.used.contains(name));
                    other == path || imported.get(&(other.as_str(), name)).map_or(!is_used, |found| *found == of)
                };
                let is_kept = self.orders.iter().flatten().all(is_free);
                names.insert(of, if is_kept { name.into() } else { number() });
            }
        }
        for root in self.chunks.iter().flat_map(|chunk| chunk.roots) {
            if !self.exports(root)?.is_empty() {
                names.insert(((*root).into(), String::new()), number());
            }
        }
        self.names = names;
        Ok(())
    }

    /// What a module declares, with the objects that it has of other modules.
    fn declared(&self, path: &str) -> Result<Vec<&'a str>, String> {
        let module = self.module(path)?;
        let whole = module.imports.iter().filter_map(|import| match import.names {
            Names::All(name) => Some(name),
            Names::Some(_) => None,
        });
        Ok(module.declared.iter().copied().chain(whole).collect())
    }

    /// What a module imports by name: what it is called there, and which module declares it under which name.
    fn locals(&self, path: &str) -> Result<Vec<(&'a str, Declared)>, String> {
        let mut found = Vec::new();
        for Import { from, names } in &self.module(path)?.imports {
            let Names::Some(names) = names else { continue };
            for (name, local) in names {
                found.push((*local, self.declaration(from, name)?));
            }
        }
        Ok(found)
    }

    /// Which module declares what a module exports under this name, and under which name.
    fn declaration(&self, path: &str, name: &str) -> Result<Declared, String> {
        let module = self.module(path)?;
        if let Some(Export { inside, of, .. }) = module.exports.iter().find(|export| export.name == name) {
            if let Some(of) = of {
                return self.declaration(of, inside);
            }
            for Import { from, names } in &module.imports {
                let Names::Some(names) = names else { continue };
                if let Some((outside, _)) = names.iter().find(|(_, local)| local == inside) {
                    return self.declaration(from, outside);
                }
            }
            return Ok((path.into(), (*inside).into()));
        }
        for star in &module.stars {
            if self.exports(star)?.contains(&name) {
                return self.declaration(star, name);
            }
        }
        Err(format!("`{path}` does not export `{name}`"))
    }

    /// An object of all that a module exports.
    fn object(&self, path: &str) -> Result<String, String> {
        let pair = |name: &str| Ok(pair(name, self.named(&self.declaration(path, name)?)));
        let pairs = self.exports(path)?.into_iter().map(pair).collect::<Result<Vec<_>, String>>()?;
        Ok(format!("{{{}}}", pairs.join(",")))
    }

    fn named<'n>(&'n self, of: &'n Declared) -> &'n str {
        self.names.get(of).map_or(of.1.as_str(), String::as_str)
    }

    fn written(&self, at: usize) -> Result<String, String> {
        let here = &self.chunks[at].path;
        let mut imported: BTreeMap<usize, BTreeSet<Declared>> = BTreeMap::new();
        let mut out = String::new();
        for path in &self.orders[at] {
            for of in self.needed(path)?.into_iter().filter(|of| self.homes[&of.0] != at) {
                imported.entry(self.homes[&of.0]).or_default().insert(of);
            }
            let written = self.module_written(path, here);
            out.push_str(&written.map_err(|error| format!("`{path}` cannot be joined: {error}"))?);
        }
        let mut head = String::new();
        for (home, names) in imported {
            let names: Vec<String> = names.iter().map(|of| renamed(&of.1, self.named(of), " as ")).collect();
            // Writing to a string does not fail.
            let _ = writeln!(head, "import{{{}}}from'{}'", names.join(","), relative(here, &self.chunks[home].path));
        }
        // What others ask for, and the roots.
        let mut exported = BTreeSet::new();
        for path in self.orders.iter().enumerate().filter(|(chunk, _)| *chunk != at).flat_map(|(_, order)| order) {
            exported.extend(self.needed(path)?.into_iter().filter(|of| self.homes[&of.0] == at));
        }
        let outside: BTreeSet<&String> = exported.iter().map(|(_, name)| name).collect();
        if outside.len() < exported.len() {
            return Err(format!("two modules of `{here}` export the same name to other files"));
        }
        let mut exported: Vec<String> = exported.iter().map(|of| renamed(self.named(of), &of.1, " as ")).collect();
        for root in self.chunks[at].roots {
            if let Some(name) = self.names.get(&((*root).into(), String::new())) {
                let _ = writeln!(out, "const {name}={}", self.object(root)?);
                exported.push(name.clone());
            }
        }
        Ok(format!("{head}{out}export{{{}}}\n", exported.join(",")))
    }

    /// What a module needs of others: which module declares it, and under which name.
    fn needed(&self, path: &str) -> Result<Vec<Declared>, String> {
        let mut found: Vec<Declared> = self.locals(path)?.into_iter().map(|(_, of)| of).collect();
        for Import { from, names } in &self.module(path)?.imports {
            if matches!(names, Names::All(_)) {
                for name in self.exports(from)? {
                    found.push(self.declaration(from, name)?);
                }
            }
        }
        Ok(found)
    }

    fn module_written(&self, path: &str, here: &str) -> Result<String, String> {
        let module = self.module(path)?;
        let mut out = String::new();
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        for name in self.declared(path)? {
            names.insert(name, self.named(&(path.into(), name.into())).to_owned());
        }
        names.extend(self.locals(path)?.into_iter().map(|(local, of)| (local, self.named(&of).to_owned())));
        for Import { from, names: all } in &module.imports {
            if let Names::All(name) = all {
                let _ = writeln!(out, "const {}={}", names[name], self.object(from)?);
            }
        }
        let mut replaced = self.replaced(module, path, here)?;
        for (at, (token, role)) in module.body.iter().zip(&module.roles).enumerate() {
            match names.get(token.text) {
                Some(name) if *role != Role::Other && name != token.text => {
                    let text = if *role == Role::Short { pair(token.text, name) } else { name.clone() };
                    replaced.push((at, text, 1));
                }
                _ => {}
            }
        }
        replaced.sort_unstable();
        let mut body = module.body.clone();
        for (start, text, length) in replaced.iter().rev() {
            body.splice(*start..start + length, [Token { text, ..module.body[*start] }]);
        }
        // So that its beginning does not continue what the module before ended with.
        if body.first().is_some_and(|token| token.kind == Kind::Sign) {
            out.push(';');
        }
        out.push_str(&script::write(&body));
        if !body.is_empty() {
            out.push('\n');
        }
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
                    let home = *self.homes.get(&to).ok_or_else(|| format!("no file has `{to}`"))?;
                    let name = self
                        .names
                        .get(&(to.clone(), String::new()))
                        .ok_or_else(|| format!("no file begins with `{to}`"))?;
                    let file = relative(here, &self.chunks[home].path);
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

    fn exports(&self, path: &str) -> Result<Vec<&'a str>, String> {
        let module = self.module(path)?;
        let mut names: Vec<&str> = module.exports.iter().map(|export| export.name).collect();
        for star in &module.stars {
            names.extend(self.exports(star)?);
        }
        Ok(names)
    }

    fn module(&self, path: &str) -> Result<&Module<'a>, String> {
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

/// `a`, or `a:b`.
fn pair(name: &str, other: &str) -> String {
    renamed(name, other, ":")
}

/// `a`, or `a`, what stands between, and `b`.
fn renamed(name: &str, other: &str, between: &str) -> String {
    if name == other { name.into() } else { format!("{name}{between}{other}") }
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
