/** Thrown for what a caller did wrong, and for what the platform cannot do. The `code` is stable, the message is not. */
export class WaxsealError extends Error {
  constructor(code, message, options) {
    super(message, options)
    this.name = 'WaxsealError'
    this.code = code
  }
}
