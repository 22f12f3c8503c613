"""Each request of schemathesis comes from an address of its own, so that none is taken for one of a guesser."""

import itertools

import schemathesis

_ADDRESSES = itertools.count(0x0A000001)


@schemathesis.hook
def before_call(context, case, kwargs):
    number = next(_ADDRESSES)
    address = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
    case.headers["X-Forwarded-For"] = address
