import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('../cases/', import.meta.url)

/** Every case file, in the order of their names; `WAXSEAL_CASE=text` keeps the scenarios that contain the text. */
export function caseFiles() {
  const wanted = process.env.WAXSEAL_CASE ?? ''
  const names = readdirSync(folder).filter(name => name.endsWith('.json')).sort()
  return names.map(name => {
    const file = { name: name.slice(0, -5), ...JSON.parse(readFileSync(new URL(name, folder), 'utf8')) }
    return { ...file, scenarios: file.scenarios.filter(scenario => `${file.name}: ${scenario.name}`.includes(wanted)) }
  })
}
