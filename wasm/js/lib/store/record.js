// What records and commits are to every store.

/** The record, unless it has expired; `undefined` if there is none. */
export const live = (record, now) => (record && (record.expires === null || now < record.expires) ? record : undefined)

/** Whether every condition of a commit holds: those of its checks, then those of its writes. `version` gives the version of a key. */
export const holds = (commit, version) => conditions(commit).every(({ key, version: expected }) => version(key) === expected)

/** The versions that a commit expects, 0 for a record that is not there. */
export const conditions = ({ checks, writes }) => [...checks, ...writes.filter(({ expect }) => expect !== null).map(({ key, expect }) => ({ key, version: expect }))]
