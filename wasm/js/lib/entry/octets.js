import { readFile } from 'node:fs/promises'
import { inflate } from './inflate.js'

/** There is no such file, or, where programs are held to what they were allowed (Node, Deno), none that is for this one. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ERR_ACCESS_DENIED', 'NotCapable']

/**
 * The octets of a module in Node, Deno and Bun: `locate` gives the URL of its file, which lies beside the script. When a bundler has moved
 * the script there is none, and `load` imports the module as text.
 */
export async function octets(locate, load) {
  try {
    const url = located(locate)
    if (url?.protocol === 'file:') return await readFile(url)
  } catch (error) {
    if (!ABSENT.includes(error.code ?? error.name)) throw error
  }
  return inflate((await load()).default)
}

/** A bundler may leave no `import.meta.url`, and using it then throws. */
function located(locate) {
  try {
    return locate()
  } catch {
    return undefined
  }
}
