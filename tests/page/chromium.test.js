import { flows } from './flows.js'

flows('chrome')
