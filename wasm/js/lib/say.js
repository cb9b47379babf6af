/** Lines a second: enough to see what is going on, and as many as the server's log has for what anybody can cause at will. */
const LINES = 10
let [second, said, unsaid] = [0, 0, 0]

/** Writes `error` to the console, unless too much was written in this second. The next line tells how many were left out. */
export function say(error) {
  const now = Math.floor(Date.now() / 1000)
  if (now !== second) [second, said] = [now, 0]
  if (said++ < LINES) {
    console.error('waxseal:', error, ...(unsaid ? [`(${unsaid} before it left out)`] : []))
    unsaid = 0
  } else unsaid++
}
