// What is said to holders and by them (section 19).
import { type Bytes, concat, demand } from "./bytes.js";
import { usable, verifyStructure } from "./keys.js";
import { Reader, array, bin, nil, uint } from "./msgpack.js";

const bool = (yes: boolean): Bytes => Uint8Array.of(yes ? 0xc3 : 0xc2);
const bins = (all: Bytes[]): Bytes => array(...all.map(bin));
const orNil = (b: Bytes | undefined): Bytes => (b === undefined ? nil : bin(b));

const digest = (r: Reader): Bytes => bin(r.exactly(32));
const holders = (r: Reader): Bytes => bins(r.list(8, () => usable(r.exactly(32))));

/** questions read what follows type and number, and write it again. */
const questions: Record<number, [number, (r: Reader) => Bytes]> = {
  1: [5, (r) => concat(bin(r.bin()), holders(r), orNil(r.optional(() => r.bin())))],
  2: [3, (r) => orNil(r.optional(() => r.exactly(32)))],
  3: [4, (r) => concat(digest(r), digest(r))],
  4: [3, (r) => bin(r.bin())],
  5: [3, (r) => array(...r.list(1024, () => {
    demand("not an offer", r.array() === 2);
    return array(digest(r), uint(r.uint()));
  }))],
  6: [4, (r) => concat(digest(r), holders(r))],
};

/** arguments read the argument of an answer, and write it again. */
const answers: Record<number, (r: Reader) => Bytes> = {
  2: (r) => bin(r.bin()),
  3: (r) => uint(r.uint()),
  4: (r) => {
    demand("not a refusal", r.array() === 2);
    return array(uint(r.uint()), uint(r.uint()));
  },
  5: (r) => {
    demand("not a page", r.array() === 2);
    return array(bins(r.list(2 ** 16, () => r.bin())), bool(r.bool()));
  },
  6: (r) => orNil(r.optional(() => r.exactly(32))),
  7: (r) => bins(r.list(1024, () => r.exactly(32))),
  8: (r) => bins(r.list(64, () => r.bin())),
  9: (r) => {
    demand("not nil", r.optional(() => r.bin()) === undefined);
    return nil;
  },
};

/** Frame is what was read, and the same written again. */
export interface Frame {
  n: bigint;
  made: Bytes;
}

export function question(b: Bytes): Frame {
  const r = new Reader(b, true);
  const count = r.array();
  const type = r.small(255);
  const [elements, rest] = questions[type] ?? [0, () => nil];
  demand("unknown question", elements === count);
  const n = r.uint();
  const body = rest(r);
  r.end();
  return { n, made: concat(Uint8Array.of(0x90 | count), uint(type), uint(n), body) };
}

export function answer(b: Bytes): Frame {
  const r = new Reader(b, true);
  demand("not an answer", r.array() === 3);
  const [n, code] = [r.uint(), r.small(255)];
  const argument = answers[code];
  demand("unknown answer", argument !== undefined);
  const body = argument(r);
  r.end();
  return { n, made: array(uint(n), uint(code), body) };
}

/** storageFields and admissionFields verify a structure and write its fields again. */
export function storageFields(network: string, b: Bytes): Bytes {
  const r = new Reader(b, true);
  demand("not a storage receipt", r.array() === 4);
  const [holder, pinned, end] = [usable(r.exactly(32)), r.exactly(32), r.uint()];
  r.exactly(64);
  r.end();
  verifyStructure(holder, network, "tom-storage-v1", b);
  return concat(bin(holder), bin(pinned), uint(end));
}

export function admissionFields(network: string, b: Bytes): Bytes {
  const r = new Reader(b, true);
  demand("not an admission", r.array() === 4);
  const [recipient, sender, until] = [usable(r.exactly(32)), usable(r.exactly(32)), r.uint()];
  r.exactly(64);
  r.end();
  verifyStructure(recipient, network, "tom-admission-v1", b);
  return concat(bin(recipient), bin(sender), uint(until));
}
