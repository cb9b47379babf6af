//! A module with its functions in another order: each beside the one that is most like it, as repetitions are packed better the nearer
//! they lie. The order of functions means nothing to whoever runs the module. Functions that do the same are one.

use anyhow::{Context as _, Result};
use core::convert::Infallible;
use std::collections::HashMap;
use wasm_encoder::{
    CodeSection, FunctionSection, Module,
    reencode::{Error, Reencode, utils::parse_function_body},
};
use wasmparser::{CodeSectionReader, CustomSectionReader, FunctionSectionReader, Parser, Payload, TypeRef};

/// How many octets in a row count as something that two functions share: enough that few are shared by chance.
const RUN: usize = 4;
/// What more functions than this share says nothing about any two of them.
const COMMON: usize = 1000;

/// The same module with each function once, in an order that packs to less.
///
/// # Errors
/// It is no module.
pub(crate) fn alike(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut wasm = wasm.to_vec();
    loop {
        let functions = Functions::of(&wasm)?;
        let mut firsts = HashMap::new();
        let twins: Vec<usize> =
            functions.all.iter().enumerate().map(|(at, function)| *firsts.entry(function).or_insert(at)).collect();
        let alone: Vec<usize> = twins.iter().enumerate().filter(|(at, twin)| at == *twin).map(|(at, _)| at).collect();
        // Those that call twins may be twins themselves once they call the same one.
        if alone.len() < twins.len() {
            wasm = functions.moved(&wasm, alone, &twins)?;
        } else {
            let bodies: Vec<&[u8]> = functions.all.iter().map(|(_, body)| *body).collect();
            return functions.moved(&wasm, chain(&bodies), &twins);
        }
    }
}

/// The functions of a module, after those that are imported: the type and the body of each.
#[derive(Default)]
struct Functions<'a> {
    imported: u32,
    all: Vec<(u32, &'a [u8])>,
}

impl<'a> Functions<'a> {
    fn of(wasm: &'a [u8]) -> Result<Self> {
        let (mut functions, mut types) = (Self::default(), Vec::new());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        functions.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => types = section.into_iter().collect::<Result<_, _>>()?,
                Payload::CodeSectionEntry(body) => {
                    let of_type = types.get(functions.all.len()).context("a function has no type")?;
                    functions.all.push((*of_type, &wasm[body.range()]));
                }
                _ => {}
            }
        }
        Ok(functions)
    }

    /// The module with those in `order` only, and each of the others replaced by its twin.
    fn moved(&self, wasm: &[u8], order: Vec<usize>, twins: &[usize]) -> Result<Vec<u8>> {
        let mut place = vec![0; twins.len()];
        for (new, old) in (0..).zip(&order) {
            place[*old] = new;
        }
        let place = twins.iter().map(|twin| place[*twin]).collect();
        let mut out = Module::new();
        Moved { imported: self.imported, order, place }
            .parse_core_module(&mut out, Parser::new(0), wasm)
            .context("the module is not read")?;
        Ok(out.finish())
    }
}

/// How much it counts what a function shares with the one before the last, and with those before it, against what it shares with the one
/// behind it.
const MEMORY: f64 = 0.6;

/// Which function comes after which: the one that shares most with the last ones, for its length, of those that are left.
fn chain(bodies: &[&[u8]]) -> Vec<usize> {
    let mut shared: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (function, body) in bodies.iter().enumerate() {
        for run in body.windows(RUN) {
            let functions = shared.entry(run).or_default();
            if functions.last() != Some(&function) {
                functions.push(function);
            }
        }
    }
    shared.retain(|_, functions| (2..COMMON).contains(&functions.len()));
    let lengths: Vec<f64> =
        bodies.iter().map(|body| f64::from(u32::try_from(body.len()).unwrap_or(u32::MAX)).sqrt()).collect();

    // The shortest first: from there on there is always something alike.
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    left.sort_by_key(|function| bodies[*function].len());
    let mut order = Vec::with_capacity(left.len());
    let mut common = vec![0.0; bodies.len()];
    let mut next = (!left.is_empty()).then_some(0);
    while let Some(at) = next {
        let last = left.remove(at);
        order.push(last);
        for common in &mut common {
            *common *= MEMORY;
        }
        let mut runs: Vec<&[u8]> = bodies[last].windows(RUN).collect();
        runs.sort_unstable();
        runs.dedup();
        for function in runs.iter().filter_map(|run| shared.get(run)).flatten() {
            common[*function] += 1.0;
        }
        let likeness = |at: &usize| common[left[*at]] / lengths[left[*at]];
        // The first of the best.
        next = (0..left.len()).rev().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    }
    order
}

/// Writes a module with its functions in `order`; `place` is where each has come to.
struct Moved {
    imported: u32,
    order: Vec<usize>,
    place: Vec<u32>,
}

impl Reencode for Moved {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        let own = function.checked_sub(self.imported).and_then(|own| self.place.get(usize::try_from(own).ok()?));
        Ok(own.map_or(function, |place| self.imported + place))
    }

    fn parse_custom_section(&mut self, _: &mut Module, _: CustomSectionReader<'_>) -> Result<(), Error> {
        // They are for tools.
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        out: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        let types: Vec<u32> = section.into_iter().collect::<Result<_, _>>()?;
        for function in &self.order {
            out.function(types[*function]);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, out: &mut CodeSection, section: CodeSectionReader<'_>) -> Result<(), Error> {
        let bodies: Vec<_> = section.into_iter().collect::<Result<_, _>>()?;
        for function in self.order.clone() {
            parse_function_body(self, out, bodies[function].clone())?;
        }
        Ok(())
    }
}
