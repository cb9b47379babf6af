//! The page: `www/`, and below `engine/` what it needs of the JavaScript package.
//!
//! Every file is packed as it is and, where that is shorter, as brotli makes it, with a table of them for the server.

use std::{
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hasher as _},
    io::{Error, ErrorKind, Result, Write as _},
    path::Path,
};
use wasm_bindgen_cli_support::Bindgen;

/// What the page imports of `wasm/js/lib`. It brings the modules itself.
const IMPORTED: [&str; 3] = ["entry/slim.js", "kdf/kdf.js", "store/indexeddb.js"];
/// The one import that is no file of the library.
const GLUE: &str = "wasm/engine.js";

/// A file of the page.
pub(crate) struct File {
    /// Its path below the page, with `/` between the parts.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) content: Vec<u8>,
}

/// All files of the page, with a list of them and their digests for who keeps them.
pub(crate) fn files(workspace: &Path, engine: Vec<u8>, kdf: Vec<u8>) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    collect(&workspace.join("www"), "", &mut files)?;
    reach(&workspace.join("wasm/js/lib"), &mut files)?;
    let (glue, engine) = bind(engine)?;
    for (name, content) in [("engine.js", glue), ("engine.wasm", engine), ("kdf.wasm", kdf)] {
        files.push(File { path: format!("engine/wasm/{name}"), content });
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let lines: Vec<String> =
        files.iter().map(|file| format!("{:?}: \"{:016x}\"", file.path, digest(&file.content))).collect();
    files.push(File { path: "files.json".into(), content: format!("{{\n{}\n}}\n", lines.join(",\n")).into() });
    Ok(files)
}

/// Tells versions of a file apart; nothing is proven by it.
fn digest(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    hasher.finish()
}

/// The glue that JavaScript needs to call the engine's module, and the module made fit for it.
fn bind(module: Vec<u8>) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes("engine", module).web(true)?.typescript(false).omit_default_module_path(true);
    bindgen.reset_state_function(true).remove_name_section(true).remove_producers_section(true);
    let mut output = bindgen.generate_output()?;
    Ok((output.js().as_bytes().to_vec(), output.wasm_mut().emit_wasm()))
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

/// `path` as seen from the file `name`.
fn resolved(name: &str, path: &str) -> String {
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

fn compress(content: &[u8]) -> Result<Vec<u8>> {
    const QUALITY: u32 = 11;
    const WINDOW: u32 = 22;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, QUALITY, WINDOW);
    writer.write_all(content)?;
    writer.flush()?;
    Ok(writer.into_inner())
}
