// Envelopes, sealing and hop answers (sections 5, 6, 9 and 10).
import { hkdfSync } from "node:crypto";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { type Bytes, ascii, concat, demand, equal, hex, sha256 } from "./bytes.js";
import { agree, usable, x25519Of } from "./keys.js";
import { Reader, array, bin, nil, uint } from "./msgpack.js";
import { type Proof, parseProof, verifyProof } from "./proof.js";

const suite = Uint8Array.of(1);
const maxSize = 262144;

export const prekeyIDOf = (x25519: Bytes): Bytes => sha256(x25519).slice(0, 8);
export const noPrekey = new Uint8Array(8);

export interface Sealing {
  shared: Bytes;
  salt: Bytes;
  info: Bytes;
  key: Bytes;
}

/** sealing derives the key that both sides have. */
export function sealing(shared: Bytes, ephemeral: Bytes, recipient: Bytes, from: Bytes, to: Bytes): Sealing {
  const salt = concat(ephemeral, recipient);
  const info = concat(ascii("tom-seal-v1"), suite, from, to);
  return { shared, salt, info, key: new Uint8Array(hkdfSync("sha256", shared, salt, info, 32)) };
}

export interface Fields {
  id: Bytes;
  from: Bytes;
  to: Bytes;
  created: number;
  lifetime: number;
  prekeyID: Bytes;
  ephemeral: Bytes; // public
}

/** additionalData are fields 0 to 6. */
export const additionalData = (f: Fields): Bytes =>
  concat(
    uint(1), bin(f.id), bin(f.from), bin(f.to), uint(f.created), uint(f.lifetime),
    bin(concat(suite, f.prekeyID, f.ephemeral)),
  );

export const seal = (key: Bytes, nonce: Bytes, additional: Bytes, plaintext: Bytes): Bytes =>
  xchacha20poly1305(key, nonce, additional).encrypt(plaintext);

/** signedBytes are fields 0 to 7. */
export const signedBytes = (additional: Bytes, nonce: Bytes, ciphertext: Bytes): Bytes =>
  concat(additional, bin(concat(nonce, ciphertext)));

export const encode = (signed: Bytes, proof: Bytes, via: Bytes[], hops: number): Bytes =>
  concat(Uint8Array.of(0x9b), signed, bin(proof), array(...via.map(bin)), uint(hops));

export interface Envelope extends Fields {
  nonce: Bytes;
  ciphertext: Bytes;
  proofBytes: Bytes;
  proof: Proof;
  via: Bytes[];
  hops: number;
  additional: Bytes;
  signed: Bytes;
}

export function parse(b: Bytes): Envelope {
  demand("over the limit", b.length <= maxSize);
  const r = new Reader(b, false);
  const count = r.array();
  demand("too few fields", count >= 11);
  const start = r.at;
  r.strict = true;
  demand("version", r.uint() === 1n);
  const id = r.exactly(16);
  const [from, to] = [usable(r.exactly(32)), usable(r.exactly(32))];
  const created = r.small(2 ** 48 - 1);
  const lifetime = r.small(86400);
  demand("no lifetime", lifetime > 0);
  const key = r.exactly(41);
  demand("suite", key[0] === 1);
  const additional = b.slice(start, r.at);
  const body = r.bin();
  demand("body too short", body.length >= 24 + 16);
  const signed = b.slice(start, r.at);
  r.strict = false;
  const proofBytes = r.bin();
  const proof = parseProof(proofBytes);
  const via = r.list(4, () => usable(r.exactly(32)));
  demand("a relay twice", new Set(via.map(hex)).size === via.length);
  const hops = r.uint();
  for (let i = 11; i < count; i++) r.skip();
  r.end();
  return {
    id, from, to, created, lifetime, prekeyID: key.slice(1, 9), ephemeral: key.slice(9),
    nonce: body.slice(0, 24), ciphertext: body.slice(24), proofBytes, proof, via,
    hops: Number(hops > 4n ? 4n : hops), additional, signed,
  };
}

/** passedOn is what is forwarded and stored of an envelope. */
export const passedOn = (e: Envelope): Bytes => encode(e.signed, e.proofBytes, e.via, e.hops);

export const digestOf = (e: Envelope): Bytes => sha256(e.signed);

/** receive takes an envelope through the steps of section 9, and says which refused it. */
export function receive(network: string, me: Bytes, secrets: Bytes[], b: Bytes, now: number): Bytes {
  const step = <T>(name: string, act: () => T): T => {
    try {
      return act();
    } catch (err) {
      throw new RefusedBy(name, err);
    }
  };
  const e = step("parse", () => parse(b));
  step("verify", () => verifyProof(network, e.from, e.signed, e.proof));
  step("time", () => {
    demand("from the future", e.created <= now + 5 * 60_000);
    demand("over", e.created >= now - e.lifetime * 1000);
  });
  return step("open", () => open(me, secrets, e));
}

export class RefusedBy extends Error {
  constructor(
    readonly step: string,
    cause: unknown,
  ) {
    super(`refused by ${step}: ${cause}`, { cause });
  }
}

/** open tries the recipient's private halves; the first is its identity key's. */
function open(me: Bytes, secrets: Bytes[], e: Envelope): Bytes {
  demand("for another", equal(e.to, me));
  for (const [i, secret] of secrets.entries()) {
    const mine = x25519Of(secret);
    if (!equal(e.prekeyID, i === 0 ? noPrekey : prekeyIDOf(mine))) continue;
    const { key } = sealing(agree(secret, e.ephemeral), e.ephemeral, mine, e.from, e.to);
    return xchacha20poly1305(key, e.nonce, e.additional).decrypt(e.ciphertext);
  }
  demand("unknown prekey", false);
}

export interface Answer {
  digest: Bytes;
  code: number;
  retryMillis: number;
  reason: number;
  value: number;
  storage: Bytes;
}

export function answer(a: Answer): Bytes {
  const argument = [nil, bin(a.storage), uint(a.retryMillis), array(uint(a.reason), uint(a.value))][a.code - 1];
  demand("unknown code", argument !== undefined);
  return array(bin(a.digest), uint(a.code), argument);
}
