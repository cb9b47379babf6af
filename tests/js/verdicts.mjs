// The verdicts of `waxseal/verify` on many tokens, in any runtime.

import { createVerifier } from 'waxseal/verify'

/** `accept` or `reject CODE` for each pair of token and time; for keys that cannot be loaded, one `keys CODE`. */
export function verdicts(options, pairs) {
  let now
  let verify
  try {
    verify = createVerifier({ ...options, clock: () => now })
  } catch (error) {
    return [`keys ${error.code}`]
  }
  return pairs.map(pair => {
    now = Math.trunc(pair.now * 1000)
    try {
      verify(pair.token)
      return 'accept'
    } catch (error) {
      return `reject ${error.code ?? error}`
    }
  })
}
