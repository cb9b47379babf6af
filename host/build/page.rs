//! The page: `www/`, and below `engine/` what it needs of the JavaScript package.
//!
//! Every file is packed as it is and, where that is shorter, as brotli makes it, with a table of them for the server.

use std::{
    fmt::Write as _,
    fs,
    io::{Error, ErrorKind, Result, Write as _},
    path::Path,
};
use wasm_bindgen_cli_support::Bindgen;

/// The files of `wasm/js/lib` that a page needs, which brings the modules itself.
const LIBRARY: [&str; 12] = [
    "check.js",
    "clock.js",
    "entry/api.js",
    "entry/slim.js",
    "errors.js",
    "guest.js",
    "http.js",
    "kdf/compute.js",
    "kdf/kdf.js",
    "store/indexeddb.js",
    "store/memory.js",
    "waxseal.js",
];

/// A file of the page.
pub(crate) struct File {
    /// Its path below the page, with `/` between the parts.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) content: Vec<u8>,
}

/// All files of the page, with a list of them for those who want it offline.
pub(crate) fn files(workspace: &Path, engine: Vec<u8>, kdf: Vec<u8>) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    collect(&workspace.join("www"), "", &mut files)?;
    let library = workspace.join("wasm/js/lib");
    for name in LIBRARY {
        files.push(File { path: format!("engine/{name}"), content: fs::read(library.join(name))? });
    }
    let (glue, engine) = bind(engine)?;
    for (name, content) in [("engine.js", glue), ("engine.wasm", engine), ("kdf.wasm", kdf)] {
        files.push(File { path: format!("engine/wasm/{name}"), content });
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let list: Vec<String> = files.iter().map(|file| format!("{:?}", file.path)).collect();
    files.push(File { path: "files.json".into(), content: format!("[\n{}\n]\n", list.join(",\n")).into() });
    Ok(files)
}

/// The glue that JavaScript needs to call the engine's module, and the module made fit for it.
fn bind(module: Vec<u8>) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes("engine", module).web(true)?.typescript(false).omit_default_module_path(true);
    bindgen.reset_state_function(true).remove_name_section(true).remove_producers_section(true);
    let mut output = bindgen.generate_output()?;
    Ok((output.js().as_bytes().to_vec(), output.wasm_mut().emit_wasm()))
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
            packed = format!("Some(include_bytes!({:?}))", target.display().to_string());
        }
        let content = target.display().to_string();
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "    File {{ path: {:?}, content: include_bytes!({content:?}), brotli: {packed} }},",
            format!("/{path}")
        );
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
