import { calls } from '../bench/candidates.mjs'

export default {
  async fetch(request) {
    const { which, count } = await request.json()
    await calls(which, count)
    return new Response('done')
  },
}
