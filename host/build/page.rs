//! The page: `www/`, and below `engine/` what it needs of the JavaScript package, joined to a few files.
//!
//! What the page begins with keeps its name. All else lies in a folder that is named after what it holds, so that a browser never has
//! to ask again for what it has. Every file is packed as it is and, where that is shorter, as brotli makes it, with a table of
//! them for the server.

use super::{
    join::{Chunk, Sources, join, resolved},
    order::alike,
};
use anyhow::{Context as _, ensure};
use brotli::enc::BrotliEncoderParams;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hasher as _},
    io::{Error, ErrorKind, Result},
    path::Path,
};
use wasm_bindgen_cli_support::Bindgen;

/// What the page imports of `wasm/js/lib`. It brings the modules itself.
const IMPORTED: [&str; 3] = ["entry/slim.js", "kdf/kdf.js", "store/indexeddb.js"];
/// The one import that is no file of the library.
const GLUE: &str = "wasm/engine.js";

/// Where the joined files lie until what they hold is known.
const FOLDER: &str = "page/VERSION";
/// Into what the scripts are joined, and with which modules each file begins.
const CHUNKS: [(&str, &[&str]); 3] = [
    // For the worker, and for the page where there can be none.
    ("engine.js", &["js/tab/core.js"]),
    // The tests go through the catalogue, so it can be had from outside.
    ("main.js", &["js/main.js", "js/catalogue/index.js"]),
    ("views.js", &["js/views/token.js", "js/views/passwords.js", "js/views/time.js", "js/views/observe.js"]),
];
const STYLE: &str = "style.css";
/// A worker answers for the folder it lies in.
const WORKER: &str = "sw.js";
const MARKUP: &str = "index.html";

/// A file of the page.
pub(crate) struct File {
    /// Its path below the page, with `/` between the parts.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) content: Vec<u8>,
}

/// All files of the page, with a list of them and their digests for the worker, which keeps them.
pub(crate) fn files(workspace: &Path, engine: Vec<u8>, kdf: &[u8]) -> anyhow::Result<Vec<File>> {
    let mut sources = Vec::new();
    collect(&workspace.join("www"), "", &mut sources)?;
    reach(&workspace.join("wasm/js/lib"), &mut sources)?;
    let (glue, engine) = bind(engine)?;
    let (engine, kdf) = (alike(&engine)?, alike(kdf)?);
    sources.push(File { path: format!("engine/{GLUE}"), content: glue });
    let sources: BTreeMap<&str, &[u8]> = sources.iter().map(|file| (file.path.as_str(), file.content.as_slice())).collect();
    let text = |path: &str| {
        let content = sources.get(path).with_context(|| format!("there is no `{path}`"))?;
        core::str::from_utf8(content).with_context(|| format!("`{path}` is no text"))
    };

    let modules = [("engine.wasm", engine), ("kdf.wasm", kdf)];
    let mut moved = BTreeMap::from([(WORKER.into(), WORKER.into())]);
    for (name, _) in &modules {
        moved.insert(format!("engine/wasm/{name}"), format!("{FOLDER}/{name}"));
    }
    let mut scripts = BTreeMap::new();
    for path in sources.keys().filter(|path| is(path, "js")) {
        scripts.insert(*path, text(path)?);
    }
    let chunk = |(name, roots): (&str, &'static [&'static str])| Chunk { path: format!("{FOLDER}/{name}"), roots };
    let worker = Chunk { path: WORKER.into(), roots: &[WORKER] };
    let chunks: Vec<Chunk<'_>> = CHUNKS.map(chunk).into_iter().chain([worker]).collect();
    let joined = join(&chunks, &Sources { scripts, moved }).map_err(anyhow::Error::msg)?;
    let (markup, styles) = markup(text(MARKUP)?)?;
    let styles = styles.into_iter().map(text).collect::<anyhow::Result<Vec<_>>>()?;

    let mut files: Vec<File> = modules.map(|(name, content)| File { path: format!("{FOLDER}/{name}"), content }).into();
    files.extend(joined.into_iter().map(|(path, content)| File { path, content: content.into() }));
    files.push(File { path: format!("{FOLDER}/{STYLE}"), content: style(&styles.concat()).into() });
    files.push(File { path: MARKUP.into(), content: markup.into() });
    let others = sources.iter().filter(|(path, _)| !is(path, "js") && !is(path, "css") && **path != MARKUP);
    files.extend(others.map(|(path, content)| File { path: (*path).into(), content: content.to_vec() }));
    name(&mut files);
    let lines: Vec<String> =
        files.iter().map(|file| format!("{:?}: \"{:016x}\"", file.path, digest([file.content.as_slice()]))).collect();
    files.push(File { path: "files.json".into(), content: format!("{{\n{}\n}}\n", lines.join(",\n")).into() });
    Ok(files)
}

/// Whether the name of a file ends in a dot and this.
fn is(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == extension)
}

/// Names the folder after what lies in it, also in the files that refer to it.
fn name(files: &mut [File]) {
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let inside = files.iter().filter(|file| file.path.starts_with(FOLDER)).map(|file| file.content.as_slice());
    let folder = format!("page/{:016x}", digest(inside));
    for file in files {
        if file.path.starts_with(FOLDER) {
            file.path = file.path.replace(FOLDER, &folder);
        } else if let Ok(text) = core::str::from_utf8(&file.content) {
            file.content = text.replace(FOLDER, &folder).into();
        }
    }
}

/// The markup with one style sheet and one script, and the paths of the style sheets that it had.
fn markup(html: &str) -> anyhow::Result<(String, Vec<&str>)> {
    const SHEET: &str = r#"<link rel="stylesheet" href=""#;
    let (mut out, mut styles) = (String::new(), Vec::new());
    for line in html.lines() {
        if let Some(rest) = line.trim_start().strip_prefix(SHEET) {
            if styles.is_empty() {
                // Writing to a string does not fail.
                let _ = writeln!(out, "  {SHEET}{FOLDER}/{STYLE}\">");
            }
            styles.push(rest.trim_end_matches("\">"));
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    let script = r#"src="js/main.js""#;
    ensure!(!styles.is_empty() && out.contains(script), "`{MARKUP}` names no style sheet, or not its script");
    Ok((out.replace(script, &format!(r#"src="{FOLDER}/main.js""#)), styles))
}

/// Style sheets without comments, indentation and most ends of lines.
fn style(css: &str) -> String {
    let mut out = String::new();
    for (at, part) in css.split("/*").enumerate() {
        let code = if at == 0 { part } else { part.split_once("*/").map_or("", |(_, code)| code) };
        for line in code.lines().map(str::trim).filter(|line| !line.is_empty()) {
            out.push_str(line);
            if !line.ends_with(['{', '}', ';', ',']) {
                out.push(' ');
            }
        }
    }
    out
}

/// Tells versions of a file apart; nothing is proven by it.
fn digest<'a>(contents: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for content in contents {
        hasher.write(content);
    }
    hasher.finish()
}

/// The glue that JavaScript needs to call the engine's module, and the module made fit for it.
fn bind(module: Vec<u8>) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes("engine", module).web(true)?.typescript(false).omit_default_module_path(true);
    bindgen.reset_state_function(true).remove_name_section(true).remove_producers_section(true);
    let mut output = bindgen.generate_output()?;
    // The page brings the module compiled, so nothing has to fetch it.
    let glue = without(output.js(), "async function __wbg_load(", "function initSync(")?;
    let glue = without(&glue, "let __wbg_init_promise;", "export {")?.replace(", __wbg_init as default", "");
    Ok((glue.into(), output.wasm_mut().emit_wasm()))
}

/// The text without what stands from `start` on and before `end`.
fn without(text: &str, start: &str, end: &str) -> anyhow::Result<String> {
    let parts = text.split_once(start).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = parts.with_context(|| format!("the glue has no `{start}` before `{end}`"))?;
    Ok([before, end, after].concat())
}

/// Adds what the page imports, and what that imports in turn: most of the library is for other hosts.
fn reach(library: &Path, files: &mut Vec<File>) -> Result<()> {
    let mut names: Vec<String> = IMPORTED.map(String::from).into();
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        at += 1;
        let text = fs::read_to_string(library.join(&name))?;
        for path in imports(&text).map(|path| resolved(&name, path)) {
            if path != GLUE && !names.contains(&path) {
                names.push(path);
            }
        }
        files.push(File { path: format!("engine/{name}"), content: text.into() });
    }
    Ok(())
}

/// The relative paths that a module of the library imports from.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.split("from '").skip(1).filter_map(|rest| rest.split('\'').next()).filter(|path| path.starts_with('.'))
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| Error::new(ErrorKind::InvalidData, "a file name is not UTF-8"))?;
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push(File { path, content: fs::read(entry.path())? });
        }
    }
    Ok(())
}

/// Writes the files below `out/page` and the table `out/page.rs`, an expression of type `&[File]` for the server.
pub(crate) fn pack(files: &[File], out: &Path) -> Result<()> {
    let folder = out.join("page");
    if folder.exists() {
        // What is not part of the page any more must go.
        fs::remove_dir_all(&folder)?;
    }
    let mut table = String::from("&[\n");
    for File { path, content } in files {
        let target = folder.join(path);
        fs::create_dir_all(target.parent().unwrap_or(&folder))?;
        fs::write(&target, content)?;
        let mut packed = "None".to_owned();
        let brotli = compress(content)?;
        if brotli.len() < content.len() {
            let target = folder.join(format!("{path}.br"));
            fs::write(&target, brotli)?;
            let target = target.display().to_string();
            packed = format!("Some(include_bytes!({target:?}))");
        }
        let (url, content) = (format!("/{path}"), target.display().to_string());
        // Writing to a string does not fail.
        let _ = writeln!(table, "    File {{ path: {url:?}, content: include_bytes!({content:?}), brotli: {packed} }},");
    }
    table.push_str("]\n");
    fs::write(out.join("page.rs"), table)
}

/// The shortest that brotli makes of `content`. Block size 0, which leaves the choice to brotli, is the best for all but large modules.
fn compress(content: &[u8]) -> Result<Vec<u8>> {
    const BLOCKS: [i32; 2] = [0, 16];
    let pack = |lgblock| {
        let params = BrotliEncoderParams { lgblock, size_hint: content.len(), ..BrotliEncoderParams::default() };
        let mut packed = Vec::new();
        brotli::BrotliCompress(&mut &content[..], &mut packed, &params).map(|_| packed)
    };
    let packed = BLOCKS.into_iter().map(pack).collect::<Result<Vec<_>>>()?;
    Ok(packed.into_iter().min_by_key(Vec::len).unwrap_or_default())
}
