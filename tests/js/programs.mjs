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

/** A program that runs until `stop` is called. */
export function started(program, args, { env } = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } })
  const ended = new Promise(resolve => child.once('exit', resolve))
  return { child, stop: async () => (child.kill(), ended) }
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

/** The server with data of its own once it answers at `url`, and the environment in which commands reach it. */
export async function served(args, variables = {}) {
  const url = `http://127.0.0.1:${await freePort()}`
  const env = { WAXSEAL_DATA: join(folder(), 'data'), ...variables }
  const { stop } = started(server(), ['serve', '--testing', `--listen=${new URL(url).host}`, '--set=log.filter=error', ...args], { env })
  for (let tries = 0; !(await fetch(url).catch(() => undefined)); tries++) {
    if (tries === 300) throw new Error('it does not listen')
    await sleep(100)
  }
  return { url, env, stop }
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
