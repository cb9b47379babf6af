// Long values in several entries, for databases that bound how long one may be.
//
//   the record's own entry   the first octets, and how many parts follow; a short value stands here as a whole
//   part 1, part 2, …        the octets behind them; apart from all records, so that no search for records meets them
//
// All of them are written together and have one version. A part of another version means that the record was written between two reads.

import { WaxsealError } from '../errors.js'

/** How often a record that keeps being written is read, at most, until its entries belong together. */
const TURNS = 16

/** The value in pieces of at most `size` octets, at least one; copies, as of a view a database would keep all the memory behind it. */
export function cut(value, size) {
  return Array.from({ length: Math.max(1, Math.ceil(value.length / size)) }, (_, i) => value.slice(i * size, (i + 1) * size))
}

/** The record's own entry: its first octets, how many parts follow, and `rest`. */
export const first = (pieces, rest) => ({ value: pieces[0], ...rest, ...(pieces.length > 1 ? { parts: pieces.length - 1 } : {}) })

/**
 * `{ version, value }` of the record whose own entry is `record`; `undefined` if there is none. `rest` gives that many parts, each
 * `undefined` or with its version, and `again` the record's own entry as it is now.
 */
export async function whole(record, rest, again) {
  for (let turn = 0; turn < TURNS; turn++) {
    if (record === undefined) return undefined
    const { version, value, parts = 0 } = record
    const more = parts > 0 ? await rest(parts) : []
    if (more.every(part => part?.version === version)) return { version, value: parts > 0 ? joined([value, ...more.map(part => part.value)]) : value }
    record = await again()
  }
  throw new WaxsealError('damaged_store', 'the parts of a record do not belong together')
}

function joined(pieces) {
  const octets = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    octets.set(piece, at)
    at += piece.length
  }
  return octets
}
