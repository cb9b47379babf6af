import { verdicts } from '../verdicts.mjs'

export default {
  async fetch(request) {
    const { options, pairs } = await request.json()
    return Response.json(verdicts(options, pairs))
  },
}
