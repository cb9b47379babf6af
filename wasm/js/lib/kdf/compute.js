/** Computes in an instance of the module. Plain statements without imports: the worker has a copy of this text. */
export function compute(exports, { scheme, salt, password }) {
  const room = exports.room()
  if (salt.length + password.length > room) return { code: 1 }
  const buffer = new Uint8Array(exports.memory.buffer, exports.buffer(), room)
  buffer.set(salt, 0)
  buffer.set(password, salt.length)
  const { argon2id, pbkdf2_sha256: pbkdf2 } = scheme
  const code = argon2id
    ? exports.argon2id(argon2id.memory, argon2id.passes, argon2id.lanes, salt.length, password.length)
    : exports.pbkdf2(pbkdf2.iterations, salt.length, password.length)
  if (code !== 0) return { code }
  // The memory may have grown, which detaches the buffer from before.
  const result = new Uint8Array(exports.memory.buffer, exports.buffer(), 32)
  const bits = result.slice()
  result.fill(0)
  return { code, bits }
}
