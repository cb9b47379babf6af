//! The heap of the component and of the module for tokens: a pointer that moves up. An instance of the component lives for one
//! request, and one of the module keeps nothing of a call.
//!
//! It starts in the pages the linker reserves behind the data (`--initial-heap`) and grows the memory only when these are
//! full, because growing and touching fresh pages is what makes an instance expensive. Blocks are not given back one by
//! one, except the last; but once none is left, the pointer falls back to its mark, so an instance that is used again does
//! not leak.

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32::{memory_grow, memory_size},
    cell::Cell,
    ptr,
};

const WASM_PAGE: usize = 65_536;
/// The least growth: 1 MiB, so that a large request grows a few times only.
const GROWTH: usize = 16;

#[global_allocator]
static HEAP: Heap = Heap { top: Cell::new(0), mark: Cell::new(0), live: Cell::new(0) };

/// Keeps every block that is in use now for the life of the instance. From here on only younger blocks are counted and
/// reclaimed.
pub(crate) fn keep() {
    HEAP.mark.set(HEAP.top());
    HEAP.live.set(0);
}

struct Heap {
    /// The first free address; 0 before the first use.
    top: Cell<usize>,
    /// Where `top` falls back to when no counted block is left; blocks below are never reclaimed.
    mark: Cell<usize>,
    /// Blocks above the mark that are in use.
    live: Cell<usize>,
}

impl Heap {
    fn top(&self) -> usize {
        if self.top.get() == 0 {
            self.top.set(start());
            self.mark.set(start());
        }
        self.top.get()
    }

    /// Moves `top` to `end`, growing the memory if need be. False when it cannot grow.
    fn reach(&self, end: usize) -> bool {
        let pages = memory_size(0);
        // A memory of 4 GiB has 65536 pages, whose product does not fit; the host's limit is far below.
        if end > pages.saturating_mul(WASM_PAGE) {
            let missing = end.div_ceil(WASM_PAGE) - pages;
            if memory_grow(0, missing.max(GROWTH)) == usize::MAX && memory_grow(0, missing) == usize::MAX {
                return false;
            }
        }
        self.top.set(end);
        true
    }
}

/// Where the linker's data ends and the heap begins.
#[expect(unsafe_code, reason = "names a symbol that every wasm linker defines; only its address is taken")]
fn start() -> usize {
    unsafe extern "C" {
        static __heap_base: u8;
    }
    (&raw const __heap_base).addr()
}

// SAFETY: the component is built without the `atomics` feature, so its instance has one thread.
#[expect(unsafe_code, reason = "a static needs it; there is one thread")]
unsafe impl Sync for Heap {}

// SAFETY: `alloc` hands out addresses between `top` and the end of the memory, which nothing else uses (the stack and the
// data lie below `__heap_base`), aligned as asked, and moves `top` behind them. `top` moves back only to the start of a
// block that is being given back and was the last one, or to the mark once every block above it has been given back; so no
// block in use ever lies at or above `top`.
#[expect(unsafe_code, reason = "an allocator cannot be had without")]
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(begin) = self.top().checked_next_multiple_of(layout.align()) else { return ptr::null_mut() };
        match begin.checked_add(layout.size()) {
            Some(end) if self.reach(end) => {
                self.live.set(self.live.get() + 1);
                ptr::with_exposed_provenance_mut(begin)
            }
            _ => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let begin = block.addr();
        if begin < self.mark.get() {
            return;
        }
        let live = self.live.get() - 1;
        self.live.set(live);
        if live == 0 {
            self.top.set(self.mark.get());
        } else if begin + layout.size() == self.top.get() {
            self.top.set(begin);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let begin = block.addr();
        // The last block grows and shrinks where it is.
        if begin >= self.mark.get() && begin + layout.size() == self.top.get() {
            return match begin.checked_add(size) {
                Some(end) if self.reach(end) => block,
                _ => ptr::null_mut(),
            };
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: `size` is what the caller vouches for, and the alignment is that of a valid layout.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: the new block is longer than the old one and lies elsewhere; the old one came from `alloc`.
            unsafe {
                ptr::copy_nonoverlapping(block, moved, layout.size());
                self.dealloc(block, layout);
            }
        }
        moved
    }
}
