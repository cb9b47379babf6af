//! A module without the messages of panics. Nobody would read them in a browser: a panic ends in a trap there, and still does.

use anyhow::{Context as _, Result, ensure};
use std::{collections::HashSet, ops::Range};
use wasm_encoder::{CodeSection, Module, RawSection};
use wasmparser::{ExternalKind, FunctionBody, KnownCustom, Linking, Name, Operator, Parser, Payload, SymbolInfo, TypeRef};

/// Parts of the names of functions that never return, and only prepare the message of a panic.
const PANICS: [&str; 9] = [
    "alloc18handle_alloc_error",
    "raw_vec12handle_error",
    "core9panicking",
    "std9panicking",
    "core6option13expect_failed",
    "core6result13unwrap_failed",
    "slice_index_fail",
    "slice_error_fail",
    "copy_from_slice_impl17len_mismatch_fail",
];
/// Parts of the names of functions that format floating-point numbers, and integers of 128 bits. Only messages of the readers of JSON
/// and of JavaScript's values contain such numbers, and the rules never show those: they word their refusals themselves.
const NUMBERS: [&str; 2] = ["core3fmt5float", "core3fmt3numn"];
/// Ends of the names of functions that format values for developers, which only messages of panics need, and those of the readers of JSON.
const DEBUG: [&str; 2] = ["5Debug3fmt", "Debug$GT$3fmt"];

/// Parts of the names of functions that format values.
pub(crate) const FORMATTING: &[&str] = &["core3fmt", "3str5count"];

/// The bodies of functions that do nothing: `unreachable`; and for those that format, `i32.const 0`, which is `Ok(())`.
const TRAP: &[u8] = &[0, UNREACHABLE, 0x0b];
const NO_TEXT: &[u8] = &[0, 0x41, 0x00, 0x0b];
const UNREACHABLE: u8 = 0;

/// The module with the bodies of such functions replaced, and without what only they have needed: their callers trap where they called
/// them, and do not prepare it; data that nothing refers to any more is zeros. wasm-bindgen then drops what only they have called; for a
/// module that does not go through it, `beyond` may name what else only they call.
///
/// # Errors
/// It is no module, has no names, or was linked without `--emit-relocs`.
pub(crate) fn quiet(wasm: &[u8], beyond: &[&str]) -> Result<Vec<u8>> {
    let parts = Parts::of(wasm)?;
    let snipped = named(wasm, |name| PANICS.iter().chain(beyond).any(|part| name.contains(part)))?;
    ensure!(!snipped.is_empty(), "the module has no names of functions, or none that panics");
    let is_debug = |name: &str| {
        // The older mangling ends with a hash.
        let name = name.rsplit_once("17h").map_or(name, |(name, _)| name);
        DEBUG.iter().any(|end| name.ends_with(end))
    };
    let wordless = named(wasm, |name| NUMBERS.iter().any(|part| name.contains(part)) || is_debug(name))?;
    parts.check_calls()?;
    let trapping = trapping(&parts, snipped)?;
    let mut kept = Vec::with_capacity(parts.bodies.len());
    for (index, body) in (parts.imported..).zip(&parts.bodies) {
        let is_stub = trapping.contains(&index) || wordless.contains(&index);
        kept.push(if is_stub { Vec::new() } else { without_traps(body, &trapping)? });
    }
    let live = Live::of(&parts, &kept);

    let mut code = CodeSection::new();
    for (index, kept) in (parts.imported..).zip(&kept) {
        let octets = kept.iter().map(|range| &wasm[range.clone()]).collect::<Vec<_>>().join(&UNREACHABLE);
        code.raw(match index {
            _ if wordless.contains(&index) => NO_TEXT,
            _ if trapping.contains(&index) || !live.functions.contains(&index) => TRAP,
            _ => &octets,
        });
    }
    let mut data = wasm.to_vec();
    for range in parts.data() {
        data[range].fill(0);
    }
    for range in &live.data {
        data[range.clone()].copy_from_slice(&wasm[range.clone()]);
    }
    let mut out = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::CodeSectionStart { .. } => {
                out.section(&code);
            }
            // They tell where things were.
            Payload::CustomSection(section)
                if matches!(section.as_known(), KnownCustom::Reloc(_) | KnownCustom::Linking(_)) => {}
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    out.section(&RawSection { id, data: &data[range] });
                }
            }
        }
    }
    Ok(out.finish())
}

/// What the module consists of.
#[derive(Default)]
struct Parts<'a> {
    /// How many functions are imported: those of the code are counted from there.
    imported: u32,
    /// What is called from outside.
    exported: Vec<u32>,
    bodies: Vec<FunctionBody<'a>>,
    symbols: Vec<Symbol>,
    /// Where the code and the data refer to a symbol, and to which.
    references: Vec<(usize, usize)>,
}

/// What can be referred to.
enum Symbol {
    Function(u32),
    /// Where in the module its octets stand.
    Data(Range<usize>),
    Other,
}

impl<'a> Parts<'a> {
    fn of(wasm: &'a [u8]) -> Result<Self> {
        let mut parts = Self::default();
        let (mut sections, mut segments) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            sections.extend(payload.as_section().map(|(_, range)| range.start));
            match payload {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        parts.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        parts.exported.extend((export.kind == ExternalKind::Func).then_some(export.index));
                    }
                }
                Payload::StartSection { func, .. } => parts.exported.push(func),
                Payload::CodeSectionEntry(body) => parts.bodies.push(body),
                Payload::DataSection(data) => {
                    for segment in data {
                        let segment = segment?;
                        segments.push(segment.range.end - segment.data.len());
                    }
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Linking(linking) => {
                        for part in linking.subsections() {
                            let Linking::SymbolTable(symbols) = part? else { continue };
                            for symbol in symbols {
                                parts.symbols.push(Symbol::of(&symbol?, &segments));
                            }
                        }
                    }
                    KnownCustom::Reloc(references) => {
                        let start = sections.get(references.section_index() as usize).context("a section is missing")?;
                        for entry in references.entries() {
                            let entry = entry?;
                            parts.references.push((start + entry.offset as usize, entry.index as usize));
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        ensure!(!parts.references.is_empty(), "the module was linked without `--emit-relocs`");
        parts.references.sort_unstable();
        Ok(parts)
    }

    /// Checks that all calls are among the references: what is called by others only would seem to be called by nobody.
    fn check_calls(&self) -> Result<()> {
        for body in &self.bodies {
            let mut operators = body.get_operators_reader()?;
            while !operators.eof() {
                // The index comes behind one octet for the operator.
                let index = operators.original_position() + 1;
                if let Operator::Call { .. } = operators.read()? {
                    let found = self.references.binary_search_by_key(&index, |(at, _)| *at);
                    ensure!(found.is_ok(), "the linker has made a call without a reference");
                }
            }
        }
        Ok(())
    }

    /// Where all data stands.
    fn data(&self) -> impl Iterator<Item = Range<usize>> {
        self.symbols.iter().filter_map(|symbol| if let Symbol::Data(range) = symbol { Some(range.clone()) } else { None })
    }
}

impl Symbol {
    fn of(info: &SymbolInfo<'_>, segments: &[usize]) -> Self {
        match info {
            SymbolInfo::Func { index, .. } => Self::Function(*index),
            SymbolInfo::Data { symbol: Some(place), .. } => match segments.get(place.index as usize) {
                Some(start) => {
                    let start = start + place.offset as usize;
                    Self::Data(start..start + place.size as usize)
                }
                // Zeros from the start, which the module does not hold.
                None => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// What can be reached from outside.
struct Live {
    functions: HashSet<u32>,
    data: HashSet<Range<usize>>,
}

impl Live {
    /// `kept` is what is left of each function.
    fn of(parts: &Parts<'_>, kept: &[Vec<Range<usize>>]) -> Self {
        let mut live = Self { functions: parts.exported.iter().copied().collect(), data: HashSet::new() };
        let body = |index: u32| kept.get(index.checked_sub(parts.imported)? as usize);
        let mut left: Vec<Range<usize>> =
            parts.exported.iter().filter_map(|index| body(*index)).flatten().cloned().collect();
        while let Some(range) = left.pop() {
            let from = parts.references.partition_point(|(at, _)| *at < range.start);
            for (_, symbol) in parts.references[from..].iter().take_while(|(at, _)| *at < range.end) {
                match parts.symbols.get(*symbol) {
                    Some(Symbol::Function(index)) if live.functions.insert(*index) => {
                        left.extend(body(*index).into_iter().flatten().cloned());
                    }
                    Some(Symbol::Data(range)) if live.data.insert(range.clone()) => left.push(range.clone()),
                    _ => {}
                }
            }
        }
        live
    }
}

/// The functions in `snipped`, and those that do nothing but call one of them.
fn trapping(parts: &Parts<'_>, mut snipped: HashSet<u32>) -> Result<HashSet<u32>> {
    let mut first = Vec::new();
    for (index, body) in (parts.imported..).zip(&parts.bodies) {
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            if is_boundary(&operator) {
                if let Operator::Call { function_index } = operator {
                    first.push((index, function_index));
                }
                break;
            }
        }
    }
    loop {
        let before = snipped.len();
        for (caller, called) in &first {
            if snipped.contains(called) {
                snipped.insert(*caller);
            }
        }
        if snipped.len() == before {
            return Ok(snipped);
        }
    }
}

/// Where the parts of a body stand that are left when it traps instead of calling one of `trapping`; between them it traps. What leads to
/// a trap without being seen from outside is no part.
fn without_traps(body: &FunctionBody<'_>, trapping: &HashSet<u32>) -> Result<Vec<Range<usize>>> {
    let mut kept = Vec::new();
    // Where the part begins, and where the last operator ends that may be seen.
    let (mut from, mut seen) = (body.range().start, 0);
    // How many blocks have been opened since the trap.
    let mut trapped = None;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let at = operators.original_position();
        if seen == 0 {
            seen = at;
        }
        let operator = operators.read()?;
        if let Some(depth) = &mut trapped {
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => *depth += 1,
                Operator::Else | Operator::End if *depth == 0 => (trapped, from) = (None, at),
                Operator::End => *depth -= 1,
                _ => {}
            }
        }
        if trapped.is_some() {
            continue;
        }
        let traps = match operator {
            Operator::Unreachable => true,
            Operator::Call { function_index } => trapping.contains(&function_index),
            _ => false,
        };
        if traps {
            kept.push(from..seen);
            trapped = Some(0);
        } else if is_boundary(&operator) {
            seen = operators.original_position();
        }
    }
    kept.push(from..body.range().end);
    Ok(kept)
}

/// Whether an operator leads elsewhere, so that what stands before it may not be seen from behind it.
fn is_boundary(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::Unreachable
    )
}

/// The indices of the functions whose names are wanted.
fn named(wasm: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<HashSet<u32>> {
    let mut found = HashSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for names in names {
            let Name::Function(names) = names? else { continue };
            for naming in names {
                let naming = naming?;
                if is_wanted(naming.name) {
                    found.insert(naming.index);
                }
            }
        }
    }
    Ok(found)
}
