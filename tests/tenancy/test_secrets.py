"""Secrets of connections: encrypted for one organization, under keys that can change."""

import pytest
from cryptography.fernet import InvalidToken
from django.core.management import CommandError, call_command

from cdp.tenancy.models import Organization
from cdp.tenancy.secrets import decrypt, encrypt

SECRET = {"token": "t0p-s3cret", "nested": {"a": [1, None]}}


def test_a_secret_comes_back_for_its_organization_alone(organization, other_organization):
    token = encrypt(organization, SECRET)

    assert b"t0p" not in token
    assert decrypt(organization, token) == SECRET
    with pytest.raises(InvalidToken):
        decrypt(other_organization, token)


def test_a_key_is_rotated_without_touching_the_secrets(organization, settings, capsys):
    old = settings.SECRETS_KEYS
    token = encrypt(organization, SECRET)

    settings.SECRETS_KEYS = ["new", *old]
    call_command("rotate_secrets")
    settings.SECRETS_KEYS = ["new"]

    assert capsys.readouterr().out == "1 data keys are wrapped with the first key.\n"
    assert decrypt(Organization.objects.get(), token) == SECRET
    settings.SECRETS_KEYS = old
    with pytest.raises(InvalidToken):
        decrypt(Organization.objects.get(), token)


def test_a_rotation_without_the_old_key_is_refused_and_changes_nothing(organization, settings):
    before = bytes(organization.data_key)
    settings.SECRETS_KEYS = ["a key that wrapped nothing"]

    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("rotate_secrets")

    assert bytes(Organization.objects.get().data_key) == before
