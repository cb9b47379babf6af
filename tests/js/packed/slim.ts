// Checked without the types of a page, with those of Node.

import { init } from 'waxseal/slim'
import { withModule as withEdge } from 'waxseal/verify/public/slim'
import { withModule } from 'waxseal/verify/slim'

declare const module: object
init({ engine: new Uint8Array(), kdf: new ArrayBuffer(8) })
const verify = withModule(module).createVerifier({ key: 'x', issuer: 'me' })
const edge = withEdge(module).createEdgeVerifier({ keys: [], issuer: 'me' })
const claims: string[] = [verify('a.b.c').sub, edge.verify('a.b.c').sub]
export { claims }
