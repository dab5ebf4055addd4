"""What schemas ask of the apps above them; each app registers in its `apps.py`."""

from collections.abc import Callable, Collection, Mapping

from cdp.api.registries import Registry
from cdp.schemas.registry.fields import Field
from cdp.tenancy.models import Sandbox

# (sandbox) -> the codes of its identity namespaces; a descriptor names one of them
identity_namespaces: Registry[Callable[[Sandbox], Collection[str]]] = Registry("namespace source")
# (sandbox) -> what is worked out about people beside their records, by path
profile_fields: Registry[Callable[[Sandbox], Mapping[str, Field]]] = Registry("field source")
