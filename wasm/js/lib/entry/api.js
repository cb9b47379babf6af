// What every entry offers besides its own `Waxseal`.

export { MovableClock } from '../clock.js'
export { WaxsealError } from '../errors.js'
export { MemoryStore } from '../store/memory.js'
export { generateRootKey } from '../waxseal.js'
