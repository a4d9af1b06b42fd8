// Identities and signatures (sections 2 and 3), and X25519.
import { createPrivateKey, createPublicKey, diffieHellman, createHash, sign, type KeyObject } from "node:crypto";
import { type Bytes, ascii, concat, demand, equal, hex, littleEndian, unhex } from "./bytes.js";
import { p, power, verify } from "./ed25519.js";

const privateKey = (prefix: string, b: Bytes): KeyObject =>
  createPrivateKey({ key: Buffer.from(concat(unhex(prefix), b)), format: "der", type: "pkcs8" });
const publicKey = (prefix: string, b: Bytes): KeyObject =>
  createPublicKey({ key: Buffer.from(concat(unhex(prefix), b)), format: "der", type: "spki" });
const publicHalf = (k: KeyObject): Bytes =>
  new Uint8Array(createPublicKey(k).export({ format: "der", type: "spki" }).subarray(-32));

// RFC 8410 puts these in front of raw keys.
const ed25519Private = (b: Bytes) => privateKey("302e020100300506032b657004220420", b);
const x25519Private = (b: Bytes) => privateKey("302e020100300506032b656e04220420", b);
const x25519Public = (b: Bytes) => publicKey("302a300506032b656e032100", b);

export const identityOf = (seed: Bytes): Bytes => publicHalf(ed25519Private(seed));
export const x25519Of = (secret: Bytes): Bytes => publicHalf(x25519Private(secret));

/** agree returns the shared secret; one that is all zeros is refused. */
export function agree(secret: Bytes, other: Bytes): Bytes {
  let shared: Bytes;
  try {
    shared = diffieHellman({ privateKey: x25519Private(secret), publicKey: x25519Public(other) });
  } catch {
    demand("no key agreement", false);
  }
  demand("all-zero shared secret", shared.some((c) => c !== 0));
  return new Uint8Array(shared);
}

/** sealingSecret is the private half that belongs to an identity key mapped to X25519. */
export const sealingSecret = (seed: Bytes): Bytes =>
  new Uint8Array(createHash("sha512").update(seed).digest().subarray(0, 32));

/** sealingPublic maps an identity key to X25519: u = (1 + y) / (1 − y). */
export function sealingPublic(identity: Bytes): Bytes {
  const y = littleEndian(identity) & ((1n << 255n) - 1n);
  let u = ((1n + y) * power(p + 1n - y, p - 2n)) % p;
  return Uint8Array.from({ length: 32 }, () => {
    const c = Number(u & 0xffn);
    u >>= 8n;
    return c;
  });
}

const smallOrder = [
  0n,
  1n,
  p - 1n,
  littleEndian(unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
  littleEndian(unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")),
];

/** usable returns the key unless it is not canonical or of small order. */
export function usable(key: Bytes): Bytes {
  const y = littleEndian(key) & ((1n << 255n) - 1n);
  demand("key not canonical", y < p);
  demand("key of small order", !smallOrder.includes(y));
  return key;
}

const lengthFirst = (s: string): Bytes => concat(Uint8Array.of(s.length), ascii(s)); // both are shorter than 128

export const signingBytes = (network: string, tag: string, m: Bytes): Bytes =>
  concat(lengthFirst(tag), lengthFirst(network), m);

export const signed = (seed: Bytes, network: string, tag: string, m: Bytes): Bytes =>
  new Uint8Array(sign(null, signingBytes(network, tag, m), ed25519Private(seed)));

export const verified = (key: Bytes, network: string, tag: string, m: Bytes, signature: Bytes): boolean =>
  verify(key, signingBytes(network, tag, m), signature);

/** structure appends the signature to a structure's fields; fields have no array header. */
export function structure(seed: Bytes, network: string, tag: string, count: number, fields: Bytes): Bytes {
  const signature = signed(seed, network, tag, fields);
  return concat(Uint8Array.of(0x90 | (count + 1)), fields, unhex("c440"), signature);
}

/** verifyStructure refuses a structure that its key has not signed. */
export function verifyStructure(key: Bytes, network: string, tag: string, b: Bytes): void {
  const end = b.length - 66;
  demand("no signature", end > 0 && equal(b.subarray(end, end + 2), unhex("c440")));
  demand(`signature of ${hex(key)}`, verified(key, network, tag, b.subarray(1, end), b.subarray(end + 2)));
}
