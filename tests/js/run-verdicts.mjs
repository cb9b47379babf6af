// The verdicts in this process: `run-verdicts.mjs FILE`, where the file holds a list of options and pairs.

import { readFileSync } from 'node:fs'
import { verdicts } from './verdicts.mjs'

const jobs = JSON.parse(readFileSync(process.argv[2], 'utf8'))
process.stdout.write(JSON.stringify(jobs.map(({ options, pairs }) => verdicts(options, pairs))), () => process.exit(0))
