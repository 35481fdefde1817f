"""What the password hashes of one activation cost, without the portal: the least that it can cost is two."""

import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, extract_parameters

from app.security.passwords import hashed
from bench.people import PASSWORD

PAIRS = 60


def cpu_seconds_of_two(at_a_time: int) -> float:
    """One hash for the new password, one to check it at the login. Several at a time, as the portal has them:
    they share the memory of the machine."""
    kept = hashed(PASSWORD)
    bare = PasswordHasher.from_parameters(extract_parameters(kept))

    def pair(_number: int) -> None:
        bare.hash(PASSWORD)
        bare.verify(kept, PASSWORD)

    start = time.process_time()
    with ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(pair, range(PAIRS)))
    return (time.process_time() - start) / PAIRS
