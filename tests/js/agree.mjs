// `node agree.mjs NUMBER`: that many generated tokens, and a tenth as many of public keys, get one verdict and code natively, in the
// component and in the JavaScript modules (security E5).

import { generated, generatedInPairs, JWKS, PUBLIC_JWKS, SETTINGS } from './generated.mjs'
import { cli, same } from './natively.mjs'
import { verdicts } from './verdicts.mjs'

/** How many are held at a time. */
const SLICE = 50_000

async function agree(pairs, options) {
  const counts = new Map()
  let all = 0
  for (const slice of sliced(pairs)) {
    const native = await cli('native', options, slice)
    same(await cli('module', options, slice), native, slice)
    same(verdicts(options, slice), native, slice)
    for (const verdict of native) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
    all += slice.length
    console.error(`${all} tokens so far`)
  }
  return `${all} tokens, ${counts.get('accept')} of them good, ${counts.size} kinds of verdict: the same everywhere`
}

function* sliced(pairs) {
  let slice = []
  for (const pair of pairs) {
    slice.push(pair)
    if (slice.length === SLICE) {
      yield slice
      slice = []
    }
  }
  if (slice.length > 0) yield slice
}

const number = Number(process.argv[2])
if (!Number.isSafeInteger(number) || number < 10) throw new Error('a number of tokens is wanted, 10 or more')
console.log(`with secrets: ${await agree(generated(number), { keys: JWKS, ...SETTINGS })}`)
console.log(`with public keys: ${await agree(generatedInPairs(Math.ceil(number / 10)), { keys: PUBLIC_JWKS, ...SETTINGS, edge: { stale: 'accept' } })}`)
