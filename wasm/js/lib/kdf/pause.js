/** Lets the event loop go round, so that others are answered between derivations. */
export const pause = () => new Promise(resolve => setTimeout(resolve))
