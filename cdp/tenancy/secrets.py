"""Encryption of what connections must keep secret.

Each organization has its own data key. The data key is wrapped by the installation's
keys (`CDP_SECRETS_KEYS`): the first wraps, all unwrap, so a key is rotated by putting
a new one first and running `manage.py rotate_secrets`.
"""

import base64
import hashlib
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from orjson import dumps, loads

from cdp.tenancy.models import Organization


def new_data_key() -> bytes:
    """Make a data key, wrapped by the installation's first key."""
    return _wrapper().encrypt(Fernet.generate_key())


def encrypt(organization: Organization, secret: dict[str, Any]) -> bytes:
    """Encrypt a connection's secret values."""
    return _key_of(organization).encrypt(dumps(secret))


def decrypt(organization: Organization, token: bytes) -> dict[str, Any]:
    """Return what `encrypt` was given. Raises `InvalidToken` for another organization's secret."""
    value: dict[str, Any] = loads(_key_of(organization).decrypt(bytes(token)))
    return value


def rotate_data_keys() -> int:
    """Wrap every data key anew with the installation's first key; return how many there were."""
    organizations = list(Organization.objects.select_for_update().order_by("pk"))
    wrapper = _wrapper()
    for organization in organizations:
        organization.data_key = wrapper.rotate(bytes(organization.data_key))
    Organization.objects.bulk_update(organizations, ["data_key"])
    return len(organizations)


def _wrapper() -> MultiFernet:
    # A key may be any text of full entropy; Fernet wants exactly 32 bytes.
    digests = (hashlib.sha256(key.encode()).digest() for key in settings.SECRETS_KEYS)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


def _key_of(organization: Organization) -> Fernet:
    return Fernet(_wrapper().decrypt(bytes(organization.data_key)))
