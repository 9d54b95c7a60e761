/**
 * As many ASCII characters as there are bytes, none of which JSON would escape: for caches that
 * store JSON. Bytes would cost them base64 besides.
 */
export const asText = (bytes: Uint8Array): string =>
  String.fromCharCode(...bytes.map(byte => 'a'.charCodeAt(0) + (byte & 0x0f)))
