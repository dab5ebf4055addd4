"""Making and removing the people who run the installation."""

from django.db import IntegrityError, transaction

from cdp.errors import NotFound
from cdp.tenancy.actors import Actor
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Credential, Operator
from cdp.tenancy.services.access import create_credential


@transaction.atomic
def create_operator(*, email: str, password: str) -> tuple[Operator, Credential, str]:
    """Make an operator with a credential; return both and the secret, shown only this once.

    Raises `NameTaken` if there is an operator of this address already.
    """
    try:
        with transaction.atomic():
            operator = Operator.objects.create_superuser(email, password)
    except IntegrityError as error:
        raise NameTaken(f"There is an operator '{email}' already.") from error
    credential, secret = create_credential(
        actor=Actor.system("create_operator"),
        organization=None,
        name=f"Operator {email}",
        operator=operator,
    )
    return operator, credential, secret


def delete_operator(*, email: str) -> None:
    """Delete an operator with their credentials and tokens. Raises `NotFound`."""
    operator = Operator.objects.filter(email=email).first()
    if operator is None:
        raise NotFound(f"There is no operator '{email}'.")
    operator.delete()
