// The verdicts in this process: `run-verdicts.mjs FILE`, where the file holds options and pairs.

import { readFileSync } from 'node:fs'
import { verdicts } from './verdicts.mjs'

const { options, pairs } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
process.stdout.write(JSON.stringify(verdicts(options, pairs)), () => process.exit(0))
