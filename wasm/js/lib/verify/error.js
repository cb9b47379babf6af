/** Why a token, a key or an option is refused. The `code` is stable and, for tokens, that of the server; the message is not. */
export class TokenError extends Error {
  constructor(code, message, options) {
    super(message, options)
    this.name = 'TokenError'
    this.code = code
  }
}
