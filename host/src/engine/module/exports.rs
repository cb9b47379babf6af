//! The component's functions, found and compared with their types once.
//!
//! The code that `bindgen!` generates looks up all four in each instance and compares their types each time, which takes a tenth of a
//! short request.
//!
//! INVARIANT: an [`Export`] has been compared with the component of its [`Exports`], and is used with instances of that one only.

use super::{
    Fault, compile,
    patience::{self, Patience},
    wit,
};
use core::marker::PhantomData;
use wasmtime::{
    Store, bail,
    component::{
        Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, TypedFunc,
        types::ComponentItem,
    },
    error::Context,
};

/// The interface that holds them.
const RULES: &str = "waxseal:engine/rules@0.1.0";

/// The functions of `engine.wit`.
pub(super) struct Exports {
    pub(super) begin: Export<Begin>,
    pub(super) resume: Export<Resume>,
    pub(super) load: Export<Load>,
    pub(super) verify: Export<Verify>,
}

impl Exports {
    /// Finds them in `component`, and compares their types.
    pub(super) fn find(component: &Component, pre: &InstancePre<Patience>) -> wasmtime::Result<Self> {
        let mut store = patience::store(component.engine(), compile::TICKS_PER_STEP);
        let instance = pre.instantiate(&mut store)?;
        let Some((ComponentItem::ComponentInstance(_), rules)) = component.get_export(None, RULES) else {
            bail!("the component does not export `{RULES}`");
        };
        let mut search = Search { component, rules, store, instance };
        Ok(Self { begin: search.find()?, resume: search.find()?, load: search.find()?, verify: search.find()? })
    }
}

struct Search<'c> {
    component: &'c Component,
    rules: ComponentExportIndex,
    store: Store<Patience>,
    instance: Instance,
}

impl Search<'_> {
    fn find<F: Function>(&mut self) -> wasmtime::Result<Export<F>> {
        let index = self.component.get_export_index(Some(&self.rules), F::NAME);
        let index = index.with_context(|| format!("the component does not export `{}`", F::NAME))?;
        self.instance.get_typed_func::<F::Parameters<'static>, F::Results>(&mut self.store, &index)?;
        Ok(Export { index, function: PhantomData })
    }
}

/// A function that every instance of the component has.
pub(super) struct Export<F> {
    index: ComponentExportIndex,
    function: PhantomData<F>,
}

impl<F: Function> Export<F> {
    /// Calls it in `instance`.
    pub(super) fn call(
        &self,
        instance: &Instance,
        store: &mut Store<Patience>,
        parameters: F::Parameters<'_>,
    ) -> Result<F::Results, Fault> {
        let function = instance.get_func(&mut *store, self.index).ok_or(Fault::Malformed("list of functions"))?;
        // SAFETY: `Search::find`, the only door, has compared these very types with those of the function at this index, lifetimes
        // aside, which no type of a component has. The index is refused by instances of another component.
        #[expect(unsafe_code, reason = "comparing the types again for each request takes longer than the short ones do")]
        let function = unsafe { TypedFunc::<F::Parameters<'_>, F::Results>::new_unchecked(function) };
        Ok(function.call(store, parameters)?)
    }
}

/// A function of `engine.wit` and its types.
pub(super) trait Function {
    const NAME: &'static str;
    type Parameters<'a>: ComponentNamedList + Lower;
    type Results: ComponentNamedList + Lift + 'static;
}

pub(super) enum Begin {}

impl Function for Begin {
    const NAME: &'static str = "begin";
    type Parameters<'a> = (wit::Request<'a>, wit::Moment<'a>, &'a [u8], &'a [(&'a str, Option<wit::Stored<'a>>)]);
    type Results = (wit::Step,);
}

pub(super) enum Resume {}

impl Function for Resume {
    const NAME: &'static str = "resume";
    type Parameters<'a> = (wit::Answer<'a>,);
    type Results = (wit::Step,);
}

pub(super) enum Load {}

impl Function for Load {
    const NAME: &'static str = "load";
    type Parameters<'a> = (&'a [u8],);
    type Results = (bool,);
}

pub(super) enum Verify {}

impl Function for Verify {
    const NAME: &'static str = "verify";
    type Parameters<'a> = (&'a str, u64);
    type Results = (Result<(), String>,);
}
