"""Hashing of secrets that we make ourselves."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class RandomSecretHasher(PBKDF2PasswordHasher):
    """One round is enough for 256 random bits: there is no dictionary to slow down.

    The hundreds of thousands of rounds that a password needs would let anybody keep a
    processor busy by asking for tokens.
    """

    algorithm = "cdp_random"
    iterations = 1
