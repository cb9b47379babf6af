import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { inflate } from './inflate.js'

/** There is no such file, or, where programs are held to what they were allowed (the system, Node, Deno), none that is for this one. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EACCES', 'EPERM', 'ERR_ACCESS_DENIED', 'NotCapable', 'PermissionDenied']

/**
 * The octets of a module in Node, Deno and Bun: `locate` gives the URL of its file, which lies beside the script. When a bundler has moved
 * the script there is none, and `load` imports the module as text.
 */
export async function octets(locate, load) {
  try {
    const path = located(locate)
    if (path !== undefined) return await readFile(path)
  } catch (error) {
    if (!ABSENT.includes(error.code ?? error.name)) throw error
  }
  return inflate((await load()).default)
}

/** A bundler may leave no `import.meta.url`, or one of another machine, and using it then throws. */
function located(locate) {
  try {
    return fileURLToPath(locate())
  } catch {
    return undefined
  }
}
