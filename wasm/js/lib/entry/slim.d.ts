export * from './index.js'

/** `WebAssembly.Module`, where the types of the platform have it. */
type Module = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object
type Source = Module | Response | ArrayBufferView | ArrayBuffer

/** Takes the modules `waxseal/engine.wasm` and `waxseal/kdf.wasm`. Call and await it before the first request. */
export function init(modules: { engine: Source | Promise<Source>; kdf: Source | Promise<Source> }): Promise<void>
