"""Refusals of profiles."""

from cdp.errors import Conflict, Invalid, NotFound, TooMany, Unavailable


class ProfileUnknown(NotFound):
    """No person is known under this identity or id."""

    code = "profile_unknown"


class IdentityUnknown(NotFound):
    """The identity has never been seen in this sandbox."""

    code = "identity_unknown"


class LinkUnknown(NotFound):
    """The two identities were never seen together."""

    code = "link_unknown"


class NamespaceUnknown(NotFound):
    """The sandbox has no namespace of that code."""

    code = "namespace_unknown"


class NamespaceTaken(Conflict):
    """There is a namespace of that code already; codes never change."""

    code = "namespace_taken"


class NamespaceStandard(Conflict):
    """Standard namespaces are the same everywhere and cannot be changed."""

    code = "namespace_standard"


class IdentityInvalid(Invalid):
    """The identity cannot be one: its namespace is unknown or its value stands for nobody."""

    code = "identity_invalid"


class SettingsInvalid(Invalid):
    """The linking rules contradict themselves or what the sandbox holds."""

    code = "identity_settings_invalid"


class PolicyUnknown(NotFound):
    """The sandbox has no such merge policy."""

    code = "merge_policy_unknown"


class PolicyInUse(Conflict):
    """Something depends on the merge policy, or it is the default."""

    code = "merge_policy_in_use"


class TooManyPolicies(Conflict):
    """A sandbox has at most five merge policies."""

    code = "too_many_merge_policies"


class SandboxBusy(Unavailable):
    """Another change of this sandbox's graphs is under way; try again in a moment."""

    code = "graphs_busy"


class AttributeUnknown(NotFound):
    """The sandbox has no such computed attribute."""

    code = "computed_attribute_unknown"


class AttributePublished(Conflict):
    """A published attribute's rule stays as it is."""

    code = "computed_attribute_published"


class AttributeInUse(Conflict):
    """The computed attribute is worked out still, or something depends on it."""

    code = "computed_attribute_in_use"


class TooManyAttributes(Conflict):
    """A sandbox works out at most 25 attributes."""

    code = "too_many_computed_attributes"


class QuotaExceeded(TooMany):
    """More identities are to be deleted than may be in a day or in 30."""

    code = "deletion_quota_exceeded"


class RequestUnfinished(Conflict):
    """The request is still being carried out, so there is nothing to read yet."""

    code = "request_unfinished"


class ContentGone(NotFound):
    """The file of the request is not kept any more, or never was."""

    code = "content_gone"


class ExportGone(NotFound):
    """The export or its file is not there any more."""

    code = "export_gone"


class ExportUnfinished(Conflict):
    """The export is still being made, so there is nothing to fetch yet."""

    code = "export_unfinished"


class DatasetUnfit(Invalid):
    """Profiles cannot be exported into this dataset."""

    code = "dataset_unfit"
