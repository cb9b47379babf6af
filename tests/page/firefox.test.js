import { flows } from './flows.js'

flows('firefox')
