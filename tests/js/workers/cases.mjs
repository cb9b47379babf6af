// Plays scenarios inside Durable Objects, each in the storage of its own.

import * as api from 'waxseal'
import { DurableObjectStore } from 'waxseal/store/durable-object'
import { DurableObject } from 'cloudflare:workers'
import { long, overStorage } from '../long.mjs'
import { purging } from '../purging.mjs'
import { runCases } from '../run-cases.mjs'

const lists = {
  '/purging': empty => purging(empty),
  '/long': (empty, storage) => long(async () => (await empty(), overStorage(DurableObjectStore, storage))),
}

export class World extends DurableObject {
  async fetch(request) {
    const empty = async () => {
      await this.ctx.storage.deleteAll()
      return new DurableObjectStore(this.ctx.storage)
    }
    if (request.method === 'GET') return Response.json(await lists[new URL(request.url).pathname](empty, this.ctx.storage))
    return Response.json(await runCases(api, await request.json(), empty))
  }
}

export default {
  /** The body is a list of files with one scenario each; each is played in an object of its own. `GET` is for the other lists. */
  async fetch(request, env) {
    if (request.method === 'GET') return env.WORLDS.get(env.WORLDS.newUniqueId()).fetch(request)
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
