// Checked without the types of any platform.

import { createSigner, createVerifier, TokenError, type VerifierOptions } from 'waxseal/verify'
import type { TokenCode } from 'waxseal/verify/slim'

const options: VerifierOptions = { key: new Uint8Array(32), issuer: 'me' }
const claims: string = createVerifier(options)(createSigner({ key: 'x', issuer: 'me', expiresIn: 60 })({ sub: '1' })).sub
const code: TokenCode | undefined = new TokenError('expired').code === 'expired' ? 'expired' : undefined
export { claims, code }
