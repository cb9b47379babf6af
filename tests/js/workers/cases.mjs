// Plays scenarios inside Durable Objects, each in the storage of its own.

import * as api from 'waxseal'
import { DurableObjectStore } from 'waxseal/store/durable-object'
import { DurableObject } from 'cloudflare:workers'
import { runCases } from '../run-cases.mjs'

export class World extends DurableObject {
  async fetch(request) {
    return Response.json(await runCases(api, await request.json(), () => new DurableObjectStore(this.ctx.storage)))
  }
}

export default {
  /** The body is a list of files with one scenario each; each is played in an object of its own. */
  async fetch(request, env) {
    const files = await request.json()
    const results = []
    for (const file of files) {
      const object = env.WORLDS.get(env.WORLDS.newUniqueId())
      const response = await object.fetch('http://world/', { method: 'POST', body: JSON.stringify([file]) })
      results.push(...(await response.json()))
    }
    return Response.json(results)
  },
}
