#!/usr/bin/env python3
"""Checks exported feeds and evidence files, written from docs/PROTOCOL.md and not from the C code.

    verify.py [--self-test] FILE...

*.export files are checked whole: headers, commitments that can be opened, the tree, the signed
checkpoint and the receipt.  *.evidence files are checked with the public keys of the exports or of
the cards (*.card) among FILE..., so give these too; evidence of all entries of a feed, over one
checkpoint, is checked as a whole feed as well.  --self-test also spoils every file in many ways and requires that each
spoiled one is refused.  Exit status 0: all is as it must be.
"""
import base64
import hashlib
import re
import struct
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Refused(text)


def sha256(data):
    return hashlib.sha256(data).digest()


def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Refused(f"base64: {error}") from error
    need(base64.b64encode(data).decode() == text, "base64 is not in its one spelling")
    return data


def unhex(text):
    need(re.fullmatch(r"([0-9a-f]{2})*|-", text), "not hexadecimal")
    return b"" if text == "-" else bytes.fromhex(text)


# -- tree: RFC 9162 section 2.1 ---------------------------------------------------------------------


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def tree_root(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(tree_root(leaves[:split]), tree_root(leaves[split:]))


def root_of_proof(leaf, index, size, hashes):
    """The root that an inclusion proof leads to, by walking down from the root recursively."""
    need(index < size, "the entry is outside the log")
    if size == 1:
        need(not hashes, "too many hashes in the proof")
        return leaf
    need(hashes, "too few hashes in the proof")
    split = 1
    while split * 2 < size:
        split *= 2
    *below, sibling = hashes
    if index < split:
        return node_hash(root_of_proof(leaf, index, split, below), sibling)
    return node_hash(sibling, root_of_proof(leaf, index - split, size - split, below))


# -- notes: C2SP signed-note, tlog-checkpoint, tlog-cosignature -------------------------------------


def key_id(name, kind, key):
    return sha256(name.encode() + b"\n" + bytes([kind]) + key)[:4]


def parse_note(note):
    text, blank, lines = note.rpartition("\n\n")
    need(blank and lines.endswith("\n"), "note: no signatures behind a blank line")
    signatures = []
    for line in lines[:-1].split("\n"):
        match = re.fullmatch(r"— ([!-*,-~]+) ([A-Za-z0-9+/]+=*)", line)
        need(match, f"note: signature line {line!r}")
        data = unbase64(match[2])
        need(len(data) > 4, "note: empty signature")
        signatures.append((match[1], data[:4], data[4:]))
    names = [signature[:2] for signature in signatures]
    need(len(set(names)) == len(names), "note: a key signs twice")
    return text + "\n", signatures


def check_signature(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature as error:
        raise Refused("a signature does not verify") from error


def find_signature(signatures, name, kind, key):
    found = [s for n, i, s in signatures if n == name and i == key_id(name, kind, key)]
    need(found, f"note: not signed by {name}")
    return found[0]


def parse_checkpoint(text):
    match = re.fullmatch(r"([ -~]+)\n(0|[1-9][0-9]{0,12})\n([A-Za-z0-9+/]{43}=)\n", text)
    need(match, "checkpoint: not the three lines origin, size, root")
    return match[1], int(match[2]), unbase64(match[3])


def parse_origin(origin):
    match = re.fullmatch(
        r"comity\.v1/([a-z][a-z0-9-]{0,15})/feed/([A-Z]{2,12})/([A-Z]{2,12})/([0-9a-f]{16})", origin)
    need(match, f"{origin!r} is not the name of a feed")
    return match[1], match[2], match[3]


def open_checkpoint(note, log_key):
    text, signatures = parse_note(note)
    origin, size, root = parse_checkpoint(text)
    check_signature(log_key, text.encode(), find_signature(signatures, origin, 1, log_key))
    return origin, size, root


def open_receipt(note, receipt_key):
    """The time of the subscriber's cosignature."""
    text, signatures = parse_note(note)
    realm, _, subscriber = parse_origin(parse_checkpoint(text)[0])
    cosigner = f"comity.v1/{realm}/receipt/{subscriber}"
    signature = find_signature(signatures, cosigner, 4, receipt_key)
    need(len(signature) == 72, "cosignature: wrong length")
    (time,) = struct.unpack(">Q", signature[:8])
    check_signature(receipt_key, f"cosignature/v1\ntime {time}\n{text}".encode(), signature[8:])
    return time


# -- entries ----------------------------------------------------------------------------------------

FIXED = struct.Struct(">BBH16s16sQ16s16sIBBHI32s")


def parse_header(data):
    need(len(data) >= FIXED.size == 120, "header: cut short")
    (version, flags, kind, entry, reply, time, _, _, _, _, _, inline_size, body_size,
     commitment) = FIXED.unpack(data[:120])
    inline = data[120:]
    need(version == 1, "header: version")
    need(flags & ~3 == 0, "header: unknown flags")
    need(time < 1 << 63, "header: time")
    need(len(inline) == inline_size <= 1024, "header: inline size")
    if flags & 2:
        need(body_size == 0 and commitment == bytes(32), "header: inline and sealed body at once")
    else:
        need(inline_size == 0, "header: inline body without its flag")
    need(body_size <= 1 << 20, "header: body size")
    return {"kind": kind, "entry": entry, "reply": reply, "inline": bool(flags & 2),
            "body_size": body_size, "commitment": commitment}


def padded_size(kind, content):
    bulk = kind in (17, 18)
    size = content + 4
    if size < (512 if bulk else 1024):
        return 512 if bulk else 1024
    exponent = size.bit_length() - 1
    step = max(64 if bulk else 1024, 1 << (exponent - exponent.bit_length() - 1))
    return -(-size // step) * step


def check_opening(origin, header, salt, body):
    need(len(body) == header["body_size"], "body: not the size that the header says")
    parts = (b"comity.v1/commitment", origin.encode(), header["entry"], salt, body)
    digest = sha256(b"".join(struct.pack(">I", len(part)) + part for part in parts))
    need(digest == header["commitment"], "body: does not open its commitment")
    (size,) = struct.unpack(">I", body[:4])
    need(size + 4 <= len(body) == padded_size(header["kind"], size), "body: padding size")
    need(not any(body[4 + size:]), "body: padding is not zero")


# -- files ------------------------------------------------------------------------------------------


def check_export(text):
    """Gives ({origin: (log key, receipt key)}, a line that says what was checked)."""
    lines = text.split("\n")
    need(lines[0] == "comity.v1/export" and lines[-2:] == ["end", ""], "export: first or last line")
    fields, headers, notes, opened, withheld = {}, [], {}, 0, 0
    at = 1
    while lines[at] != "end":
        word, _, rest = lines[at].partition(" ")
        at += 1
        if word == "entry":
            index, header, salt, body = rest.split(" ")
            need(int(index) == len(headers), "export: entries out of order")
            headers.append((unhex(header), unhex(salt), unhex(body)))
        elif word == "note":
            end = lines.index(".", at)
            need(rest not in notes, "export: a note twice")
            notes[rest] = "\n".join(lines[at:end]) + "\n"
            at = end + 1
        else:
            need(word in ("feed", "log-key", "receipt-key") and word not in fields,
                 f"export: line {word!r}")
            fields[word] = rest
    need(at == len(lines) - 2, "export: text behind its end")
    origin = fields["feed"]
    parse_origin(origin)
    log_key, receipt_key = unhex(fields["log-key"]), unhex(fields["receipt-key"])
    seen = set()
    for data, salt, body in headers:
        header = parse_header(data)
        need(header["entry"] not in seen, "an entry id twice")
        seen.add(header["entry"])
        if salt:
            need(not header["inline"] and len(salt) == 32, "salt where none belongs")
            check_opening(origin, header, salt, body)
            opened += 1
        elif not header["inline"]:
            withheld += 1
    leaves = [leaf_hash(data) for data, _, _ in headers]
    time = None
    for name, note in notes.items():
        named, size, root = open_checkpoint(note, log_key)
        need(named == origin, f"{name}: of another log")
        need(size <= len(leaves), f"{name}: larger than the log")
        need(root == tree_root(leaves[:size]), f"{name}: another root")
        if name == "receipt":
            time = open_receipt(note, receipt_key)
        else:
            need(name == "checkpoint" and size == len(leaves), f"{name}: not over all entries")
    need(not leaves or "checkpoint" in notes, "export: no checkpoint")
    return ({origin: (log_key, receipt_key)},
            f"{origin}: {len(headers)} entries, {opened} opened, {withheld} erased or withheld, "
            f"receipt {'none' if time is None else time}")


def card_keys(text):
    """{(realm, code, role): public key} of the Ed25519 certificates of a card."""
    keys = {}
    for pem in re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S):
        certificate = x509.load_pem_x509_certificate(pem.encode())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for uri in names.get_values_for_type(x509.UniformResourceIdentifier):
            _, _, realm, code, role = uri.split(":")
            if isinstance(certificate.public_key(), Ed25519PublicKey):
                keys[(realm, code.upper(), role)] = certificate.public_key().public_bytes_raw()
    need(keys, "card: no Ed25519 certificates")
    return keys


def keys_of(origin, keys):
    """The log key and the receipt key of a feed: from its export, or from the cards of both ends."""
    if origin in keys:
        return keys[origin]
    realm, publisher, subscriber = parse_origin(origin)
    wanted = (realm, publisher, "log"), (realm, subscriber, "receipt")
    need(all(name in keys for name in wanted), f"no keys for {origin}: give its export or two cards")
    return keys[wanted[0]], keys[wanted[1]]


def check_whole(entries):
    """Feeds of which every entry is there under one checkpoint; gives a line for each."""
    for (origin, size, root), leaves in entries.items():
        if len(leaves) == size:
            need(tree_root([leaves[i] for i in range(size)]) == root, f"{origin}: another root")
            yield f"{origin}: all {size} entries lead to the root"


def check_evidence(text, keys, entries=None):
    head, mark, proof = text.partition("--- proof\n")
    need(mark, "evidence: no proof")
    match = re.fullmatch(r"comity\.v1/evidence\n--- header\n([A-Za-z0-9+/=\n]+)"
                         r"(?:--- salt\n([A-Za-z0-9+/=\n]+)--- body\n([A-Za-z0-9+/=\n]+))?", head)
    need(match, "evidence: sections")
    data, salt, body = (unbase64((part or "").replace("\n", "")) for part in match.groups())
    top, blank, note = proof.partition("\n\n")
    first, index, *hashes = top.split("\n")
    need(blank and first == "c2sp.org/tlog-proof@v1", "evidence: proof format")
    match = re.fullmatch(r"index (0|[1-9][0-9]{0,12})", index)
    need(match, "evidence: index")
    hashes = [unbase64(line) for line in hashes]
    need(all(len(value) == 32 for value in hashes), "evidence: hash size")
    origin = parse_checkpoint(parse_note(note)[0])[0]
    log_key, receipt_key = keys_of(origin, keys)
    _, size, root = open_checkpoint(note, log_key)
    need(root_of_proof(leaf_hash(data), int(match[1]), size, hashes) == root,
         "evidence: does not lead to the root")
    time = open_receipt(note, receipt_key)
    header = parse_header(data)
    if entries is not None:
        entries.setdefault((origin, size, root), {})[int(match[1])] = leaf_hash(data)
    if salt:
        need(not header["inline"], "evidence: salt where none belongs")
        check_opening(origin, header, salt, body)
    return f"{origin}: entry {match[1]} of {size}, {'shown' if salt else 'not shown'}, receipt {time}"


def check_file(path, text, keys, entries=None):
    if path.endswith(".export"):
        return check_export(text)[1]
    return check_evidence(text, keys, entries)


def spoiled(text):
    """Every line with one character changed, every line left out, every line doubled."""
    lines = text.split("\n")
    for i, line in enumerate(lines[:-1]):
        where = len(line) // 2
        letter = "A" if line[where:where + 1] != "A" else "B"
        for other in ([line[:where] + letter + line[where + 1:]], [], [line, line]):
            yield i + 1, "\n".join(lines[:i] + other + lines[i + 1:])


def self_test(path, text, keys):
    count = 0
    for line, other in spoiled(text):
        try:
            check_file(path, other, keys)
        except (Refused, KeyError, ValueError, IndexError, struct.error):
            count += 1
            continue
        raise Refused(f"{path}: spoiled in line {line} and not refused")
    return count


def main(arguments):
    testing = "--self-test" in arguments
    paths = [argument for argument in arguments if argument != "--self-test"]
    if not paths:
        print(__doc__)
        return 2
    texts, keys, entries = {}, {}, {}
    for path in sorted(paths, key=lambda path: not path.endswith((".export", ".card"))):
        with open(path, encoding="utf-8", newline="") as file:
            texts[path] = file.read()
    for path, text in texts.items():
        try:
            if path.endswith(".card"):
                keys.update(card_keys(text))
                continue
            if path.endswith(".export"):
                keys.update(check_export(text)[0])
            print(f"ok  {path}: {check_file(path, text, keys, entries)}")
            if testing:
                print(f"    {self_test(path, text, keys)} spoiled variants were refused")
        except (Refused, KeyError, ValueError, IndexError, struct.error) as error:
            print(f"BAD {path}: {error}")
            return 1
    try:
        for line in check_whole(entries):
            print(f"ok  {line}")
    except Refused as error:
        print(f"BAD {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
