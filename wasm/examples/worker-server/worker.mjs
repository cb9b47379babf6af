// The whole server in one Durable Object.
// Bindings: SERVER, the Durable Object namespace; ROOT_KEY, 32 octets in base64url, and ADMIN_PASSWORD (both secrets).

import { DurableObject } from 'cloudflare:workers'
import { Waxseal } from 'waxseal'
import { DurableObjectStore } from 'waxseal/store/durable-object'

export class Server extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env)
    this.waxseal = new Waxseal({
      store: new DurableObjectStore(ctx.storage),
      rootKey: env.ROOT_KEY,
      clientAddress: request => request.headers.get('cf-connecting-ip'),
      audit: event => console.log(JSON.stringify(event)),
    })
    // The first start makes the administrator; later ones find one there.
    ctx.blockConcurrencyWhile(() => this.waxseal.bootstrap({ password: env.ADMIN_PASSWORD }))
  }

  fetch(request) {
    return this.waxseal.fetch(request)
  }
}

export default {
  fetch: (request, env) => env.SERVER.get(env.SERVER.idFromName('server')).fetch(request),
}
