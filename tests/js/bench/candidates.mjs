// Ours and jose, in any runtime.

import { jwtVerify } from 'jose'
import { createSigner, createVerifier } from 'waxseal/verify'
import { median, race, ratio } from './table.mjs'

export const SECRET = 'x'.repeat(32)
export const ISSUER = 'https://issuer.example'
export const AUDIENCE = 'clients'
export const CLAIMS = { sub: 'user-123', scope: 'read' }

export const sign = createSigner({ key: SECRET, issuer: ISSUER, audience: AUDIENCE, expiresIn: 600 })
export const verify = createVerifier({ key: SECRET, issuer: ISSUER, audience: AUDIENCE })

export async function joseKey() {
  return crypto.subtle.importKey('raw', new TextEncoder().encode(SECRET), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

/** Our verify against jose's by the wall clock, for runtimes that have no other. */
export async function againstJose(turns) {
  const token = sign(CLAIMS)
  const key = await joseKey()
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['HS256'] }
  const times = await race({ ours: () => verify(token), jose: () => jwtVerify(token, key, options) }, () => performance.now() * 1000, { turns })
  return { ratio: ratio(times, 'ours', 'jose'), ours: median(times.ours), jose: median(times.jose), octets: token.length }
}

/** A number of calls alone: workers have no clock that runs during a request, so the caller takes the time. */
export async function calls(which, count) {
  const token = sign(CLAIMS)
  const key = await joseKey()
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['HS256'] }
  for (let i = 0; i < count; i++) {
    if (which === 'ours') verify(token)
    else await jwtVerify(token, key, options)
  }
}
