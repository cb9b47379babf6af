// Where the runtimes are, and how to run something in them.

import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const here = fileURLToPath(new URL('.', import.meta.url))
export const bin = name => join(here, 'node_modules/.bin', name)

const folders = []
process.on('exit', () => { for (const path of folders) rmSync(path, { recursive: true, force: true, maxRetries: 3 }) })

/** A folder that is there for as long as this process. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), 'waxseal-'))
  folders.push(path)
  return path
}

/** The standard output of a program that has to end well. */
export function output(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: here, maxBuffer: 1 << 28, ...options }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stderr}`))
      else resolve(stdout)
    })
  })
}

/** A program that runs until `stop` is called. What it complains of is shown unless it is `quiet`; `said` has the last of it. */
export function started(program, args, { env, quiet = false } = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    said = (said + text).slice(-4000)
    if (!quiet) process.stderr.write(text)
  })
  const ended = new Promise(resolve => {
    child.once('error', ({ message }) => resolve(message))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`))
  })
  return {
    child,
    /** Resolves with how it went when it has ended, or could not be started. */
    ended,
    said: () => said,
    async stop(signal) {
      child.kill(signal)
      await ended
      // What it has started itself may hold the other end for longer.
      child.stderr.destroy()
    },
  }
}

/** Waits until what was `started` is ready. Where it ends before that, or takes too long, the error says so, and what it has said. */
export async function ready({ child, ended, said, stop }, isReady, patience = 30_000) {
  let how
  ended.then(outcome => { how = outcome })
  const end = Date.now() + patience
  while (how !== undefined || !(await isReady())) {
    if (Date.now() > end) how ??= `it is not ready after ${patience / 1000} s`
    if (how !== undefined) {
      const what = `${child.spawnargs.join(' ')}: ${how}`
      // The last of what it has said may come after the news of its end.
      await sleep(100)
      await stop('SIGKILL')
      throw new Error(`${what}\n${said()}`.trimEnd())
    }
    await sleep(50)
  }
}

export const deno = ['run', '--quiet', '--allow-all', '--unstable-kv', '--node-modules-dir=manual']

/** The first of the paths that exists. */
export function found(what, paths) {
  const path = paths.find(path => path && existsSync(path))
  if (!path) throw new Error(`${what} is not there; looked at ${paths.filter(Boolean).join(', ')}`)
  return path
}

/** The native server, which has been built before. */
export const server = () => found('the server', [process.env.WAXSEAL_BIN, join(here, '../../target/debug/waxseal')])

/** The server with data of its own once it answers at `url`, its clock free to move, and the environment in which commands reach it. */
export const served = (args, variables) => plainlyServed(['--testing', '--set=log.filter=error', ...args], variables)

/** The same without settings that were not asked for. */
export async function plainlyServed(args, variables = {}, { quiet } = {}) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = { WAXSEAL_DATA: join(folder(), 'data'), ...variables }
  const running = started(server(), ['serve', `--listen=127.0.0.1:${port}`, ...args], { env, quiet })
  await ready(running, async () => (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) }).catch(() => ({}))).ok)
  return { url, port, env, stop: running.stop }
}

/** A port of this machine that is free. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
