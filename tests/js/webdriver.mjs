// A browser, driven over WebDriver (W3C) with nothing but `fetch`.

import { setTimeout as sleep } from 'node:timers/promises'
import { found, freePort, started } from './programs.mjs'

/** Starts Chromium; `stop` ends it. */
export async function chromium() {
  const driver = found('chromedriver', [process.env.CHROMEDRIVER, '/usr/bin/chromedriver', '/usr/lib/chromium-browser/chromedriver'])
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-default-apps', '--disable-extensions']
  return open(driver, port => [`--port=${port}`], { browserName: 'chrome', 'goog:chromeOptions': { args } })
}

/** Starts Firefox. */
export async function firefox() {
  const driver = found('geckodriver', [process.env.GECKODRIVER, '/usr/bin/geckodriver'])
  return open(driver, port => ['--port', String(port)], { browserName: 'firefox', 'moz:firefoxOptions': { args: ['-headless'] } })
}

async function open(driver, args, alwaysMatch) {
  const port = await freePort()
  const { stop } = started(driver, args(port))
  const call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) })
    const { value } = await response.json()
    if (!response.ok) throw new Error(`${path}: ${value.message}`)
    return value
  }
  try {
    for (let tries = 0; ; tries++) {
      const ready = await call('GET', '/status').catch(() => ({}))
      if (ready.ready) break
      if (tries === 100) throw new Error(`${driver} does not answer`)
      await sleep(100)
    }
    const { sessionId } = await call('POST', '/session', { capabilities: { alwaysMatch } })
    const session = `/session/${sessionId}`
    await call('POST', `${session}/timeouts`, { script: 600_000, pageLoad: 60_000 })
    return {
      visit: url => call('POST', `${session}/url`, { url }),
      /** Runs the body of an async function in the page; its result, which must have a JSON form. */
      evaluate: async (body, ...values) => {
        const script = `const done = arguments[arguments.length - 1]; const args = [...arguments].slice(0, -1);
          (async () => { ${body} })().then(value => done({ value }), error => done({ error: String(error?.stack ?? error) }))`
        const { value, error } = await call('POST', `${session}/execute/async`, { script, args: values })
        if (error) throw new Error(error)
        return value
      },
      stop: async () => {
        await call('DELETE', session).catch(() => {})
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}
