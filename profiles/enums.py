"""Choices that more than one file needs."""

from django.db.models import TextChoices

from profiles.computed.definition import Function, Unit
from profiles.identity import merge, namespaces


class NamespaceType(TextChoices):
    """Say what an identifier of the namespace points at."""

    COOKIE = namespaces.NamespaceType.COOKIE.value
    CROSS_DEVICE = namespaces.NamespaceType.CROSS_DEVICE.value
    DEVICE = namespaces.NamespaceType.DEVICE.value
    EMAIL = namespaces.NamespaceType.EMAIL.value
    PHONE = namespaces.NamespaceType.PHONE.value
    MOBILE = namespaces.NamespaceType.MOBILE.value
    NON_PEOPLE = namespaces.NamespaceType.NON_PEOPLE.value
    PARTNER = namespaces.NamespaceType.PARTNER.value


class Normaliser(TextChoices):
    """Say which values of a custom namespace are one identity."""

    NONE = "none", "as sent"
    LOWERCASE = "lowercase", "trimmed and lower-case"
    E164 = "e164", "telephone number in E.164"
    SHA256 = "sha256", "SHA-256"
    EMAIL_SHA256 = "email_sha256", "SHA-256 of the lower-case e-mail address"
    E164_SHA256 = "e164_sha256", "SHA-256 of the number in E.164"


class AttributeMerge(TextChoices):
    """Say which of several values of an attribute wins."""

    TIMESTAMP = merge.AttributeMerge.TIMESTAMP.value
    DATASET = merge.AttributeMerge.DATASET.value


class GraphUse(TextChoices):
    """Say whether a profile is all identities of a graph, or one identity alone."""

    NONE = merge.GraphUse.NONE.value
    PRIVATE = merge.GraphUse.PRIVATE.value


class ComputedState(TextChoices):
    """Say whether a computed attribute is worked out."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DISABLED = "disabled"


class ComputedFunction(TextChoices):
    """Say how many events become one value."""

    SUM = Function.SUM.value
    COUNT = Function.COUNT.value
    MIN = Function.MIN.value
    MAX = Function.MAX.value
    MOST_RECENT = Function.MOST_RECENT.value
    LAST = Function.LAST.value


class LookbackUnit(TextChoices):
    """Say in what a look-back is measured."""

    HOURS = Unit.HOURS.value
    DAYS = Unit.DAYS.value
    WEEKS = Unit.WEEKS.value
    MONTHS = Unit.MONTHS.value


class PrivacyAction(TextChoices):
    """Say what a person wants done with what is held on her."""

    ACCESS = "access"
    DELETE = "delete"


class Regulation(TextChoices):
    """Name the law under which she asks; it changes nothing in what is done."""

    GDPR = "gdpr"
    CCPA = "ccpa"
    CPRA = "cpra_ca_usa"
    LGPD = "lgpd_bra"
    APA = "apa_aus"
    HIPAA = "hipaa_usa"
    PDPA = "pdpa_tha"
    NZPA = "nzpa_nzl"
    QL25 = "ql25_qc_can"
    NONE = "none"


class WorkState(TextChoices):
    """Say how far a request is."""

    SUBMITTED = "submitted"
    PROCESSING = "processing"
    COMPLETE = "complete"
    ERROR = "error"


class DeletionKind(TextChoices):
    """Say what is deleted."""

    PROFILES = "profiles"
    DATASET = "dataset"
    RECORDS = "records"


class ExportTarget(TextChoices):
    """Say where an export goes."""

    FILE = "file"
    DATASET = "dataset"


class ExportFormat(TextChoices):
    """Say which form the file of an export has."""

    JSON_LINES = "json_lines"
    CSV = "csv"
    PARQUET = "parquet"


class Compression(TextChoices):
    """Say how the file of an export is packed."""

    NONE = "none"
    GZIP = "gzip"


class ExportPart(TextChoices):
    """Say what an export tells of a person, beside her id."""

    ATTRIBUTES = "attributes"
    IDENTITIES = "identities"
    SEGMENTS = "segments"
    EVENTS = "events"


class ExportState(TextChoices):
    """Say how far an export is."""

    SUBMITTED = "submitted"
    PROCESSING = "processing"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    ERROR = "error"
    EXPIRED = "expired", "its file is not kept any more"
    ERASED = "erased", "somebody in its file was erased, and the file with her"


class MembershipStatus(TextChoices):
    """Say whether somebody is in a segment, or was."""

    REALIZED = "realized"
    EXITED = "exited"
