export * from './index.js'

type Source = WebAssembly.Module | Response | BufferSource

/** Takes the modules `waxseal/engine.wasm` and `waxseal/kdf.wasm`. To be called, and waited for, before the first request. */
export function init(modules: { engine: Source | Promise<Source>; kdf: Source | Promise<Source> }): Promise<void>
