// The verdicts of `waxseal/verify`, or of `waxseal/verify/public`, on many tokens, in any runtime.

import { createVerifier } from 'waxseal/verify'
import { createEdgeVerifier } from 'waxseal/verify/public'

/**
 * `accept` or `reject CODE` for each pair of token and time; for keys that cannot be loaded, one `keys CODE`. With `edge` keys are public:
 * `{ stale }`, and `{ snapshot, now }` for a revocation snapshot that is taken first.
 */
export function verdicts({ edge, ...options }, pairs) {
  let now = edge?.now
  const clock = () => Math.trunc(now * 1000)
  let verify
  try {
    if (edge === undefined) verify = createVerifier({ ...options, clock })
    else {
      const verifier = createEdgeVerifier({ ...options, stale: edge.stale, clock })
      if (edge.snapshot !== undefined) verifier.take(edge.snapshot)
      verify = verifier.verify
    }
  } catch (error) {
    return [`keys ${error.code}`]
  }
  return pairs.map(pair => {
    now = pair.now
    try {
      verify(pair.token)
      return 'accept'
    } catch (error) {
      return `reject ${error.code ?? error}`
    }
  })
}
