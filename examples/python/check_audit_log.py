"""Checks an audit log or a proof without any code of ours: Python's standard library alone.

    python3 check_audit_log.py CHECKPOINT STORE.db      the events in an SQLite store
    python3 check_audit_log.py CHECKPOINT 12.tlog-proof the proof of one event

CHECKPOINT is one that you kept: what `al audit checkpoint` printed, or the pin of a pipeline. Of a store, events behind it
are not looked at, nor are the policies themselves. Exits with 1 where the events or the proof do not hold, with 2 where
they cannot be read.
"""

import base64
import hashlib
import json
import sqlite3
import sys
from pathlib import Path

# The state digest of no policies, from which every log begins.
NO_POLICIES = hashlib.sha256(b"al.state/v1\n[]").hexdigest()


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\0" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(tree_root(leaves[:split]), tree_root(leaves[split:]))


def path_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to, from the leaf's sibling upwards; None where it is too long or too short."""
    if size == 1:
        return leaf if not path else None
    if not path:
        return None
    split = 1 << ((size - 1).bit_length() - 1)
    if index < split:
        left = path_root(leaf, index, split, path[:-1])
        return left and node_hash(left, path[-1])
    right = path_root(leaf, index - split, size - split, path[:-1])
    return right and node_hash(path[-1], right)


def check_store(store: str, origin: str, size: int, root: bytes) -> str | None:
    workspace = origin.removeprefix("al/")
    rows = sqlite3.connect(Path(store).absolute().as_uri() + "?mode=ro", uri=True).execute(
        "SELECT seq, body, names FROM audit_event WHERE workspace = ? ORDER BY seq LIMIT ?", (workspace, size)
    )
    leaves: list[bytes] = []
    state = NO_POLICIES
    for seq, body, names in rows:
        event = json.loads(body)
        if (event["seq"], event["log"]) != (len(leaves), origin) or seq != len(leaves):
            return f"event {seq} is not where it was appended"
        if event["changes"] not in (None, hashlib.sha256(names.encode()).hexdigest()):
            return f"the names of event {seq} are others"
        if event["before"] is not None:
            if event["before"] != state:
                return f"event {seq} does not begin where the one before it ended"
            state = event["after"]
        leaves.append(leaf_hash(body.encode()))
    if len(leaves) < size:
        return f"the store holds {len(leaves)} events, and the checkpoint counts {size}"
    return None if tree_root(leaves) == root else "the events do not lead to the root of the checkpoint"


def check_proof(text: str, origin: str, size: int, root: bytes) -> str | None:
    proof, checkpoint = text.split("\n\n", 1)
    header, extra, place, *hashes = proof.split("\n")
    if header != "c2sp.org/tlog-proof@v1":
        return "this is no proof"
    if checkpoint.split("\n")[:2] != [origin, str(size)]:
        return "the proof leads to another checkpoint: have it made against this one"
    body = base64.b64decode(extra.removeprefix("extra "), validate=True)
    index = int(place.removeprefix("index "))
    path = [base64.b64decode(line, validate=True) for line in hashes]
    event = json.loads(body)
    if (event["seq"], event["log"]) != (index, origin) or index >= size:
        return "the event is not the one of that place"
    if path_root(leaf_hash(body), index, size, path) != root:
        return "the proof does not lead to the root of the checkpoint"
    print(json.dumps(event, indent=2))
    return None


def check(checkpoint: str, subject: str) -> None:
    origin, lines, encoded = Path(checkpoint).read_bytes().decode().split("\n")[:3]
    size, root = int(lines), base64.b64decode(encoded, validate=True)
    if Path(subject).read_bytes().startswith(b"SQLite format 3\0"):
        fault = check_store(subject, origin, size, root)
    else:
        fault = check_proof(Path(subject).read_bytes().decode(), origin, size, root)
    if fault:
        sys.exit(f"{subject}: {fault}")
    print(f"{subject}: holds against the checkpoint of {size} events of {origin}")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        check(*sys.argv[1:])
    except (OSError, ValueError, KeyError, TypeError, sqlite3.Error) as error:
        print(f"{sys.argv[2]}: cannot be checked: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
