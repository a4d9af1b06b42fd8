// Plaintexts, receipts, prekey records and hellos (sections 7, 11, 12 and 13).
import { type Bytes, concat, demand, equal } from "./bytes.js";
import { usable, verifyStructure } from "./keys.js";
import { Reader, array, bin, nil, str, uint } from "./msgpack.js";

export const content = (type: string, number: number | bigint, body: Bytes): Bytes =>
  array(str(type), uint(number), bin(body));

export function paddedLength(n: number): number {
  if (n <= 256) return 256;
  const e = Math.floor(Math.log2(n));
  const z = e - (Math.floor(Math.log2(e)) + 1);
  return Math.floor((n + 2 ** z - 1) / 2 ** z) * 2 ** z;
}

export const padded = (b: Bytes): Bytes => concat(b, new Uint8Array(paddedLength(b.length) - b.length));

export function parsePlaintext(b: Bytes): { type: string; number: bigint; body: Bytes } {
  const r = new Reader(b, true);
  demand("not a content", r.array() === 3);
  const made = { type: r.str(128), number: r.uint(), body: r.bin() };
  demand("padded otherwise", b.length === paddedLength(r.at) && b.subarray(r.at).every((c) => c === 0));
  return made;
}

export interface Entry {
  id: Bytes;
  digest: Bytes;
}

/** receiptFields are a receipt without array header and signature. */
export const receiptFields = (kind: number, from: Bytes, to: Bytes, time: number, entries: Entry[]): Bytes =>
  concat(
    uint(kind), bin(from), bin(to), uint(time),
    array(...entries.map((e) => array(bin(e.id), bin(e.digest)))),
  );

export function parseReceipt(network: string, b: Bytes): void {
  const r = new Reader(b, true);
  demand("not a receipt", r.array() === 6);
  const kind = r.small(4);
  demand("unknown kind", kind > 0);
  const from = usable(r.exactly(32));
  usable(r.exactly(32));
  r.small(2 ** 48 - 1);
  const entries = r.list(64, () => {
    demand("not an entry", r.array() === 2);
    return [r.exactly(16), r.exactly(16)];
  });
  demand("no entries", entries.length > 0);
  r.exactly(64);
  r.end();
  verifyStructure(from, network, "tom-receipt-v1", b);
}

export const receiptFrame = (receipts: Bytes[], prekeys: Bytes): Bytes =>
  array(uint(1), array(...receipts.map(bin)), prekeys.length > 0 ? bin(prekeys) : nil);

export function parseReceiptFrame(b: Bytes): { receipts: Bytes[]; prekeys: Bytes | undefined } {
  const r = new Reader(b, false);
  const count = r.array();
  demand("not a frame of receipts", count >= 3 && r.uint() === 1n);
  const made = { receipts: r.list(64, () => r.bin()), prekeys: r.optional(() => r.bin()) };
  for (let i = 3; i < count; i++) r.skip();
  r.end();
  return made;
}

const dayMillis = 86_400_000;

/** deathOf is when the private half for a day is destroyed. */
export const deathOf = (day: number): number => (day + 1) * dayMillis + (24 * 60 + 30) * 60_000;

export interface DayKey {
  day: number;
  public: Bytes;
}

export const recordFields = (node: Bytes, made: number, keys: DayKey[]): Bytes =>
  concat(uint(1), bin(node), uint(made), array(...keys.map((k) => array(uint(k.day), bin(k.public)))));

export function parseRecord(network: string, b: Bytes, now: number): DayKey[] {
  const r = new Reader(b, true);
  demand("not a record", r.array() === 5);
  demand("suite", r.uint() === 1n);
  const node = usable(r.exactly(32));
  demand("made in the future", r.uint() <= BigInt(now + 5 * 60_000));
  const keys = r.list(9, () => {
    demand("not a key", r.array() === 2);
    return { day: r.small(2 ** 32 - 1), public: r.exactly(32) };
  });
  r.exactly(64);
  r.end();
  demand("no keys", keys.length > 0);
  demand("days not ascending", keys.every((k, i) => i === 0 || keys[i - 1]!.day < k.day));
  demand("days too far ahead", keys.at(-1)!.day <= Math.floor(now / dayMillis) + 9);
  verifyStructure(node, network, "tom-prekeys-v1", b);
  return keys;
}

export interface Hello {
  version: number;
  agent: string;
  name: string;
  roles: number[];
  capabilities: string[];
  prekeys: Bytes;
  admission: Bytes; // empty: none
  time: number;
}

export const hello = (h: Hello): Bytes =>
  array(
    uint(1), uint(h.version), str(h.agent), str(h.name), array(...h.roles.map(uint)),
    array(...h.capabilities.map(str)), bin(h.prekeys), h.admission.length > 0 ? bin(h.admission) : nil, uint(h.time),
  );

export function parseHello(b: Bytes): Hello {
  demand("too long", b.length <= 4096);
  const r = new Reader(b, false);
  const count = r.array();
  demand("not a hello", count >= 9 && r.uint() === 1n);
  const made = {
    version: Number(r.uint()), agent: r.str(64), name: r.str(64),
    roles: r.list(8, () => Number(r.uint())), capabilities: r.list(32, () => r.str(64)),
    prekeys: r.bin(), admission: r.optional(() => r.bin()) ?? new Uint8Array(0), time: Number(r.uint()),
  };
  for (let i = 9; i < count; i++) r.skip();
  r.end();
  return made;
}

/** sameHello compares what was read with what was written. */
export const sameHello = (a: Hello, b: Hello): boolean => equal(hello(a), hello(b));
