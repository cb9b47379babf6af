import { verdicts } from '../verdicts.mjs'

globalThis.verdicts = verdicts
