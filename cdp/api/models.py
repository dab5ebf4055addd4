"""Rows of the API itself."""

from django.db import models

from cdp.tenancy.base import OrganizationModel
from cdp.tenancy.models import Sandbox


class StoredAnswer(OrganizationModel):
    """What a POST with an `Idempotency-Key` was answered, to be answered again.

    `key_hash` says credential, sandbox, route and key; `answer` is encrypted with the
    organization's data key, because it may hold a secret that is shown only once.
    """

    sandbox = models.ForeignKey(Sandbox, null=True, on_delete=models.CASCADE, related_name="+")
    key_hash = models.BinaryField(max_length=32)
    body_hash = models.BinaryField(max_length=32)
    answer = models.BinaryField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "key_hash"], name="answer_unique"),
        )

    def __str__(self) -> str:
        return f"answer of {self.created_at}"
