// Beats, presences and the frames that carry them (sections 13 and 23).
import { type Bytes, concat, demand } from "./bytes.js";
import { usable, verifyStructure } from "./keys.js";
import { Reader, array, bin, nil, uint } from "./msgpack.js";

type Integer = number | bigint;

export const beat = (counter: Integer, load: number, time: Integer): Bytes =>
  array(uint(2), uint(counter), uint(load), uint(time));

export const beatAnswer = (counter: Integer, time: Integer): Bytes => array(uint(4), uint(counter), uint(time));

/** frame reads a frame of one type, with elements that this version does not know behind those that it does. */
function frame<T>(b: Bytes, max: number, type: bigint, elements: number, read: (r: Reader) => T): T {
  demand("too long", b.length <= max);
  const r = new Reader(b, false);
  const count = r.array();
  demand("another frame", count >= elements && r.uint() === type);
  const made = read(r);
  for (let i = elements; i < count; i++) r.skip();
  r.end();
  return made;
}

export const parseBeat = (b: Bytes): { counter: bigint; load: number; time: bigint } =>
  frame(b, 256, 2n, 4, (r) => {
    const [counter, load, time] = [r.uint(), r.uint(), r.uint()];
    return { counter, load: load > 255n ? 255 : Number(load), time };
  });

export const parseBeatAnswer = (b: Bytes): { counter: bigint; time: bigint } =>
  frame(b, 256, 4n, 3, (r) => ({ counter: r.uint(), time: r.uint() }));

export const presenceFrame = (presence: Bytes, prekeys: Bytes): Bytes =>
  array(uint(3), bin(presence), prekeys.length > 0 ? bin(prekeys) : nil);

export const parsePresenceFrame = (b: Bytes): { presence: Bytes; prekeys: Bytes | undefined } =>
  frame(b, 4096, 3n, 3, (r) => ({ presence: r.bin(), prekeys: r.optional(() => r.bin()) }));

export interface Presence {
  node: Bytes;
  made: number;
  until: number;
  roles: [number, number][];
  addrs: Bytes[];
  load: number;
  holders: Bytes[];
}

/** fields are a presence without array header and signature. */
export const fields = (p: Presence): Bytes =>
  concat(
    bin(p.node), uint(p.made), uint(p.until),
    array(...p.roles.map(([role, until]) => array(uint(role), uint(until)))),
    array(...p.addrs.map(bin)), uint(p.load), array(...p.holders.map(bin)),
  );

const dayMillis = 86_400_000;
const skewMillis = 5 * 60_000;

/** parse verifies a presence and holds it to the time it is read at. */
export function parse(network: string, b: Bytes, now: number): Presence {
  const r = new Reader(b, true);
  demand("not a presence", r.array() === 8);
  const p: Presence = {
    node: usable(r.exactly(32)), made: r.small(Number.MAX_SAFE_INTEGER), until: r.small(Number.MAX_SAFE_INTEGER),
    roles: r.list(8, () => {
      demand("not a role", r.array() === 2);
      return [r.small(255), r.small(Number.MAX_SAFE_INTEGER)];
    }),
    addrs: r.list(16, () => r.bin()), load: r.small(255), holders: r.list(8, () => usable(r.exactly(32))),
  };
  r.exactly(64);
  r.end();
  demand("made in the future", p.made <= now + skewMillis);
  demand("over before it was made", p.until > p.made);
  demand("for too long", p.until <= p.made + dayMillis);
  demand("over", p.until > now);
  demand("roles not ascending", p.roles.every(([role], i) => i === 0 || p.roles[i - 1]![0] < role));
  demand("a role for too long", p.roles.every(([, until]) => until <= p.made + dayMillis));
  demand("not an address", p.addrs.every((a) => a.length >= 1 && a.length <= 128));
  verifyStructure(p.node, network, "tom-presence-v1", b);
  return p;
}
