export { onAbort } from './abort.js'
export type { Adapter, CallOptions, Capabilities, SetOptions } from './adapter.js'
export type { AdapterOptions, ResolvedAdapterOptions } from './adapter-options.js'
export { checkName, checkOptions, checkSignal, checkTags } from './arguments.js'
export type { Awaitable, Backend, Call, Failure, Slices } from './backend.js'
export type {
  Backplane,
  BackplaneListener,
  BackplaneMessage,
  BackplaneOrigin,
} from './backplane.js'
export { expiryOf, NEVER, now } from './clock.js'
export { type Deadline, Deadlines } from './deadlines.js'
export {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  envelopeSchema,
  MAX_PAYLOAD_BYTES,
} from './envelope.js'
export { isL2Error, L2Error, type L2ErrorCode } from './errors.js'
export { GuardedAdapter, type SweepReport } from './guarded-adapter.js'
export { MemoryAdapter, type MemoryAdapterOptions } from './memory-adapter.js'
export { MemoryStorage } from './memory-storage.js'
export { turnLength } from './turn.js'
