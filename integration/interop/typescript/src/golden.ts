// Makes each golden file again from its inputs, and reads what is in it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, Refused, concat, demand, equal, hex, sha256, unhex } from "./bytes.js";
import * as backup from "./backup.js";
import * as envelope from "./envelope.js";
import * as keys from "./keys.js";
import * as presence from "./presence.js";
import * as proof from "./proof.js";
import * as structures from "./structures.js";

type Entry = Record<string, any>;

/** A Check makes a file's content again from its inputs; it throws if something in it does not read. */
export type Check = (held: any, protocols: string) => unknown;

const each = (remake: (e: Entry) => Entry): Check => (held: Entry[]) => held.map(remake);

const signing = each((e) => {
  const [seed, m] = [unhex(e.seed), unhex(e.message)];
  const key = keys.identityOf(seed);
  demand("signature", keys.verified(key, e.network, e.tag, m, unhex(e.signature)));
  return {
    network: e.network, tag: e.tag, message: e.message,
    signing_bytes: hex(keys.signingBytes(e.network, e.tag, m)),
    seed: e.seed, public: hex(key), signature: hex(keys.signed(seed, e.network, e.tag, m)),
  };
});

const verifying = each((e) => ({
  ...e,
  good: keys.verified(unhex(e.public), e.network, e.tag, unhex(e.message), unhex(e.signature)),
}));

interface Sealed {
  fields: envelope.Fields;
  secret: Bytes; // of the recipient
  sealing: envelope.Sealing;
  additional: Bytes;
  ciphertext: Bytes;
  signed: Bytes;
}

/** sealed makes fields 0 to 7 from keys, nonce and plaintext. */
function sealed(e: Entry): Sealed {
  const recipientSeed = unhex(e.recipient_seed);
  const [from, to] = [keys.identityOf(unhex(e.author_seed)), keys.identityOf(recipientSeed)];
  const [secret, ephemeralSecret] = [unhex(e.prekey_private), unhex(e.ephemeral_private)];
  const toIdentity = equal(secret, keys.sealingSecret(recipientSeed));
  const recipient = keys.x25519Of(secret);
  if (toIdentity) demand("map to X25519", equal(recipient, keys.sealingPublic(to)));
  const fields = {
    id: unhex(e.id), from, to, created: e.created, lifetime: e.lifetime,
    prekeyID: toIdentity ? envelope.noPrekey : envelope.prekeyIDOf(recipient),
    ephemeral: keys.x25519Of(ephemeralSecret),
  };
  const sealing = envelope.sealing(keys.agree(ephemeralSecret, recipient), fields.ephemeral, recipient, from, to);
  const additional = envelope.additionalData(fields);
  const ciphertext = envelope.seal(sealing.key, unhex(e.nonce), additional, unhex(e.plaintext));
  return { fields, secret, sealing, additional, ciphertext, signed: envelope.signedBytes(additional, unhex(e.nonce), ciphertext) };
}

const uuid = (id: Bytes): string => hex(id).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

/** remade is an envelope's entry with its proof. */
function remade(e: Entry, s: Sealed, proofBytes: Bytes): Entry {
  const { fields: f, sealing: k } = s;
  const made = envelope.encode(s.signed, proofBytes, e.via.map(unhex), e.hops);
  const opened = envelope.receive(e.network, f.to, [keys.sealingSecret(unhex(e.recipient_seed)), s.secret], unhex(e.envelope), e.created);
  demand("plaintext", equal(opened, unhex(e.plaintext)));
  return {
    name: e.name, network: e.network, author_seed: e.author_seed, recipient_seed: e.recipient_seed,
    prekey_private: e.prekey_private, ephemeral_private: e.ephemeral_private, nonce: e.nonce, plaintext: e.plaintext,
    version: 1, id: e.id, id_text: uuid(f.id), from: hex(f.from), to: hex(f.to),
    created: e.created, lifetime: e.lifetime, prekey_id: hex(f.prekeyID), prekey_public: hex(keys.x25519Of(s.secret)),
    ephemeral_public: hex(f.ephemeral), via: e.via, hops: e.hops,
    shared_secret: hex(k.shared), hkdf_salt: hex(k.salt), hkdf_info: hex(k.info), derived_key: hex(k.key),
    additional_data: hex(s.additional), ciphertext: hex(s.ciphertext), signed_fields: hex(s.signed),
    digest: hex(sha256(s.signed)), signing_bytes: hex(keys.signingBytes(e.network, "tom-envelope-v1", s.signed)),
    leaf: hex(proof.leafOf(e.network, s.signed)), proof: hex(proofBytes), envelope: hex(made),
  };
}

const plain = each((e) => {
  const s = sealed(e);
  return remade(e, s, proof.plainProof(keys.signed(unhex(e.author_seed), e.network, "tom-envelope-v1", s.signed)));
});

const batch: Check = (held: Entry) => {
  const members: Entry[] = held.envelopes;
  const all = members.map(sealed);
  const levels = proof.levelsOf(all.map((s) => proof.leafOf(held.network, s.signed)));
  const statement = proof.statement(members.length, levels.at(-1)![0]!);
  const signature = keys.signed(unhex(members[0]!.author_seed), held.network, "tom-batch-v1", statement);
  return {
    network: held.network, levels: levels.map((l) => l.map(hex)), statement: hex(statement),
    signing_bytes: hex(keys.signingBytes(held.network, "tom-batch-v1", statement)), signature: hex(signature),
    envelopes: members.map((e, i) => remade(e, all[i]!, proof.batchProof(levels, i, signature))),
  };
};

/** recipient is who reads the envelopes that must be refused or taken. */
function recipient(protocols: string): [Bytes, Bytes[]] {
  const first = load(protocols, "envelope/testdata/plain.json").held[0];
  const seed = unhex(first.recipient_seed);
  return [keys.identityOf(seed), [keys.sealingSecret(seed), unhex(first.prekey_private)]];
}

const refusedEnvelopes: Check = (held: Entry[], protocols) => {
  const [me, secrets] = recipient(protocols);
  return held.map((e) => {
    let step = "nothing";
    try {
      envelope.receive("main", me, secrets, unhex(e.envelope), e.at);
    } catch (err) {
      if (!(err instanceof envelope.RefusedBy)) throw err;
      step = err.step;
    }
    return { name: e.name, refused_by: step, at: e.at, envelope: e.envelope };
  });
};

const tolerated: Check = (held: Entry[], protocols) => {
  const [me, secrets] = recipient(protocols);
  return held.map((e) => {
    const parsed = envelope.parse(unhex(e.envelope));
    envelope.receive("main", me, secrets, unhex(e.envelope), parsed.created);
    return { name: e.name, envelope: e.envelope, known: hex(envelope.passedOn(parsed)) };
  });
};

const answers = each((e) => ({
  ...e,
  answer: hex(envelope.answer({
    digest: unhex(e.digest), code: e.code, retryMillis: e.retry_millis, reason: e.reason, value: e.value,
    storage: unhex(e.storage),
  })),
}));

const contents = each((e) => {
  const unpadded = structures.content(e.type, e.number, unhex(e.body));
  const read = structures.parsePlaintext(unhex(e.padded));
  demand("content", read.type === e.type && Number(read.number) === e.number && hex(read.body) === e.body);
  return { type: e.type, number: e.number, body: e.body, unpadded: hex(unpadded), padded: hex(structures.padded(unpadded)) };
});

const padding = each((e) => ({ length: e.length, padded: structures.paddedLength(e.length) }));

const receipts = each((e) => {
  const seed = unhex(e.seed);
  const from = keys.identityOf(seed);
  const fields = structures.receiptFields(e.kind, from, unhex(e.to), e.time,
    e.entries.map((x: Entry) => ({ id: unhex(x.id), digest: unhex(x.digest) })));
  structures.parseReceipt(e.network, unhex(e.receipt));
  return {
    name: e.name, network: e.network, seed: e.seed, kind: e.kind, from: hex(from), to: e.to, time: e.time, entries: e.entries,
    signing_bytes: hex(keys.signingBytes(e.network, "tom-receipt-v1", fields)),
    receipt: hex(keys.structure(seed, e.network, "tom-receipt-v1", 5, fields)),
  };
});

const frames = each((e) => {
  const read = structures.parseReceiptFrame(unhex(e.frame));
  demand("frame", equal(concat(...read.receipts), concat(...e.receipts.map(unhex))) && hex(read.prekeys ?? new Uint8Array(0)) === e.prekeys);
  return {
    name: e.name, receipts: e.receipts, prekeys: e.prekeys,
    frame: hex(structures.receiptFrame(e.receipts.map(unhex), unhex(e.prekeys))),
  };
});

const records = each((e) => {
  const seed = unhex(e.seed);
  const node = keys.identityOf(seed);
  const days: structures.DayKey[] = e.keys.map((k: Entry) => ({ day: k.day, public: unhex(k.public) }));
  const fields = structures.recordFields(node, e.made, days);
  structures.parseRecord(e.network, unhex(e.record), e.made);
  return {
    network: e.network, seed: e.seed, suite: 1, node: hex(node), made: e.made,
    keys: days.map((k) => ({
      day: k.day, public: hex(k.public), id: hex(envelope.prekeyIDOf(k.public)), private_half_dies: structures.deathOf(k.day),
    })),
    signing_bytes: hex(keys.signingBytes(e.network, "tom-prekeys-v1", fields)),
    record: hex(keys.structure(seed, e.network, "tom-prekeys-v1", 4, fields)),
  };
});

const hellos = each((e) => {
  const made: structures.Hello = {
    version: e.version, agent: e.agent, name: e.name, roles: e.roles, capabilities: e.capabilities,
    prekeys: unhex(e.prekeys), admission: unhex(e.admission), time: e.time,
  };
  demand("hello", structures.sameHello(structures.parseHello(unhex(e.hello)), made));
  return { ...e, hello: hex(structures.hello(made)) };
});

const beats = each((e) => {
  const [counter, time] = [integer(e.counter), integer(e.time)];
  const [beat, answer] = [presence.parseBeat(unhex(e.beat)), presence.parseBeatAnswer(unhex(e.answer))];
  demand("beat", beat.counter === BigInt(counter) && beat.load === e.load && beat.time === BigInt(time));
  demand("answer", answer.counter === BigInt(counter) && answer.time === BigInt(time));
  return { ...e, beat: hex(presence.beat(counter, e.load, time)), answer: hex(presence.beatAnswer(counter, time)) };
});

const presenceFrames = each((e) => {
  const read = presence.parsePresenceFrame(unhex(e.frame));
  demand("frame", hex(read.presence) === e.presence && hex(read.prekeys ?? new Uint8Array(0)) === e.prekeys);
  return { ...e, frame: hex(presence.presenceFrame(unhex(e.presence), unhex(e.prekeys))) };
});

const presences = each((e) => {
  const seed = unhex(e.seed);
  const fields = presence.fields({
    node: keys.identityOf(seed), made: e.made, until: e.until, roles: e.roles, addrs: e.addrs.map(unhex),
    load: e.load, holders: e.holders.map(unhex),
  });
  demand("presence", equal(presence.fields(presence.parse(e.network, unhex(e.presence), e.made)), fields));
  return {
    case: e.case, network: e.network, seed: e.seed, node: hex(keys.identityOf(seed)), made: e.made, until: e.until,
    roles: e.roles, addrs: e.addrs, load: e.load, holders: e.holders,
    signing_bytes: hex(keys.signingBytes(e.network, "tom-presence-v1", fields)),
    presence: hex(keys.structure(seed, e.network, "tom-presence-v1", 7, fields)),
  };
});

/** heldFrames are frames of which the file has the bytes and the number. */
const heldFrames = (read: (b: Bytes) => backup.Frame): Check =>
  each((e) => {
    const { n, made } = read(unhex(e.frame));
    return { name: e.name, n: Number(n), frame: hex(made) };
  });

const heldStructures = each((e) => {
  const [tag, read] = e.name === "admission"
    ? ["tom-admission-v1", backup.admissionFields] as const
    : ["tom-storage-v1", backup.storageFields] as const;
  const fields = read("main", unhex(e.bytes));
  return {
    name: e.name, seed: e.seed, signing_bytes: hex(keys.signingBytes("main", tag, fields)),
    bytes: hex(keys.structure(unhex(e.seed), "main", tag, 3, fields)),
  };
});

/** allRefused lets read refuse every entry, and makes the list of those it refused. */
const allRefused = (read: (e: Entry) => void): Check => (held: Entry[]) =>
  held.filter((e) => {
    try {
      read(e);
    } catch (err) {
      if (!(err instanceof Refused)) throw err;
      return true;
    }
    return false;
  });

/** checks are all golden files, by their place below protocols. */
export const checks: Record<string, Check> = {
  "testdata/signing.json": signing,
  "testdata/verifying.json": verifying,
  "envelope/testdata/plain.json": plain,
  "envelope/testdata/batch.json": batch,
  "envelope/testdata/refused.json": refusedEnvelopes,
  "envelope/testdata/tolerated.json": tolerated,
  "envelope/testdata/answers.json": answers,
  "message/testdata/contents.json": contents,
  "message/testdata/padding.json": padding,
  "ack/testdata/receipts.json": receipts,
  "ack/testdata/frames.json": frames,
  "ack/testdata/refused.json": allRefused((e) => structures.parseReceipt("main", unhex(e.receipt))),
  "prekeys/testdata/records.json": records,
  "prekeys/testdata/refused.json": allRefused((e) => void structures.parseRecord("main", unhex(e.record), e.at)),
  "heartbeat/testdata/hellos.json": hellos,
  "heartbeat/testdata/beats.json": beats,
  "heartbeat/testdata/presence.json": presenceFrames,
  "presence/testdata/presences.json": presences,
  "presence/testdata/refused.json": allRefused((e) => void presence.parse("main", unhex(e.presence), e.at)),
  "backup/testdata/frames.json": heldFrames(backup.question),
  "backup/testdata/answers.json": heldFrames(backup.answer),
  "backup/testdata/structures.json": heldStructures,
};

/** integer reads a number of a golden file, however large. */
const integer = (v: number | string): number | bigint => (typeof v === "string" ? BigInt(v.slice(1)) : v);

/** load reads a file. Numbers that JavaScript's do not hold become texts, which text makes numbers again. */
export function load(protocols: string, file: string): { text: string; held: any } {
  const text = readFileSync(join(protocols, file), "utf8");
  return { text, held: JSON.parse(text.replace(/: (\d{16,})(?=[,\n])/g, ': "u$1"')) };
}

/** text is a golden file's text. */
export const text = (made: unknown): string =>
  JSON.stringify(made, null, 2).replace(/: "u(\d+)"/g, ": $1") + "\n";
