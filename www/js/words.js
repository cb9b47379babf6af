// Times, sizes and counts, as people say them.

/** `4 min 32 s`, `2 h 5 min`, `3 days 1 h`; a part of a second is one. */
export function duration(seconds) {
  const all = Math.max(0, Math.ceil(seconds))
  const [s, m, h, d] = [all % 60, Math.floor(all / 60) % 60, Math.floor(all / 3600) % 24, Math.floor(all / 86400)]
  if (d > 0) return `${plural(d, 'day')}${h ? ` ${h} h` : ''}`
  if (h > 0) return `${h} h${m ? ` ${m} min` : ''}`
  if (m > 0) return `${m} min${s ? ` ${s} s` : ''}`
  return `${s} s`
}

/** Whether these are seconds since 1970 that a calendar has a day for. */
export const isTime = seconds => Number.isFinite(seconds) && Math.abs(seconds) <= 8.64e12

/** A time in milliseconds since 1970, in the reader's own way. */
export const moment = millis => new Date(millis).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** The time of day only. */
export const timeOfDay = millis => new Date(millis).toLocaleTimeString()

/** The text, with characters that reorder others or cannot be seen written as JSON escapes. Ends of lines stay. */
export const seen = text => text.replace(/[\0-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, character => `\\u${character.charCodeAt().toString(16).padStart(4, 0)}`)

/** `1 token`, `3 tokens` */
export const plural = (count, noun, nouns = `${noun}s`) => `${count.toLocaleString()} ${count === 1 ? noun : nouns}`

/** `0.4 ms`, `37 ms`, `1.2 s` */
export function milliseconds(millis) {
  if (millis >= 1000) return `${(millis / 1000).toFixed(1)} s`
  return `${millis.toFixed(millis < 10 ? 1 : 0)} ms`
}

/** `HTTP` statuses that occur here. */
export const reasons = {
  200: 'OK', 201: 'Created', 204: 'No Content', 304: 'Not Modified', 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden',
  404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 409: 'Conflict', 413: 'Content Too Large', 414: 'URI Too Long',
  415: 'Unsupported Media Type', 422: 'Unprocessable Content', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large',
  500: 'Internal Server Error', 503: 'Service Unavailable',
}
