// Plays every scenario of `files` in worlds of `api`, and tells how each ended.

import { play } from './player.mjs'
import { open } from './world.mjs'

/** `[{ name, failure }]`; `store(name)` gives an empty store. */
export async function runCases(api, files, store) {
  const results = []
  for (const file of files) {
    for (const scenario of file.scenarios) {
      const name = `${file.name}: ${scenario.name}`
      let failure
      try {
        failure = await play(file, scenario, await open(api, scenario, await store(name)))
      } catch (error) {
        failure = String(error?.stack ?? error)
      }
      results.push({ name, failure })
    }
  }
  return results
}
