// An issuer with public keys that signs whatever a test wants: tokens, revocation snapshots, and what passes for neither.

import { createHash, generateKeyPairSync, sign } from 'node:crypto'

/** 2031-05-06T07:08:09Z in seconds. */
export const NOW = 1_935_990_489

/** A key in two parts: its public JWK, and what signs any header and payload with it. */
export function keyPair(kid, alg = 'EdDSA') {
  const isCurve = alg === 'ES256'
  const { privateKey, publicKey } = isCurve ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  const encoded = part => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
  return {
    kid,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    sign(header, payload) {
      const text = `${encoded({ alg, kid, ...header })}.${encoded(payload)}`
      return `${text}.${sign(isCurve ? 'sha256' : null, Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    },
    /** A token as the server issues them. */
    token(claims = {}) {
      return this.sign({ typ: 'JWT' }, { iss: 'me', sub: '7', iat: NOW, exp: NOW + 3600, jti: 'one', uid: '7', gen: 3, dialect: 'redis', ...claims })
    },
    /** A snapshot; `tokens` are ids, `users` pairs of number and oldest generation, `pairs` those of number and second. */
    snapshot({ typ = 'revocations+jwt', num = 1, iat = NOW, exp = iat + 600, iss = 'me', keys = [kid], tokens = [], users = [], pairs = [] } = {}) {
      const digest = jti => createHash('sha256').update(jti).digest().subarray(0, 12)
      const list = entries => Buffer.concat(entries.toSorted(Buffer.compare)).toString('base64url')
      const numbers = ([first, second], digits) => Buffer.from(first.toString(16).padStart(8, '0') + second.toString(16).padStart(digits, '0'), 'hex')
      return this.sign({ typ }, { iss, iat, exp, num, keys, tokens: list(tokens.map(digest)), users: list(users.map(user => numbers(user, 8))), pairs: list(pairs.map(pair => numbers(pair, 16))) })
    },
  }
}

/** Of a user that is gone. */
export const GONE = 0xffff_ffff
